//! Where everything goes: panels in rows and columns, with the room that their labels need.

use super::axes::{Labels, Side};
use super::extent::{n_columns, whole_x, whole_y, x_scale, y_scale};
use super::legend::{self, Block};
use super::names::Names;
use super::scale::{Scale, Ticks};
use super::text;
use crate::figure::{Axis, Figure, Mark, Panel};

/// Sizes in the units of the drawing, which are CSS pixels: at a width of 680 on paper 180 mm wide, 10 are 7.5 pt.
pub(super) const TICK_SIZE: f64 = 10.0;
pub(super) const LABEL_SIZE: f64 = 10.5;
pub(super) const TITLE_SIZE: f64 = 11.0;
pub(super) const LETTER_SIZE: f64 = 13.0;
/// Length of a tick.
pub(super) const TICK: f64 = 3.5;
const GUTTER: f64 = 22.0;
/// From the edge of a panel to its color bar, and the bar's own width.
pub(super) const BAR_GAP: f64 = 9.0;
pub(super) const BAR_WIDTH: f64 = 9.0;

/// A panel with its place on the page.
pub(super) struct Plot<'a> {
    pub(super) panel: &'a Panel,
    pub(super) letter: Option<char>,
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) x_labels: Labels,
    pub(super) y_labels: Labels,
    /// Whether names and numbers are written below it.
    pub(super) x_shown: bool,
    pub(super) legend: Block,
    /// Left edge of the column and baseline of the title.
    pub(super) title_at: (f64, f64),
    /// Baseline of the label below the panel; horizontal place of the one beside it.
    pub(super) x_label_at: f64,
    pub(super) y_label_at: f64,
    /// The color bar's matrix, if there is one.
    pub(super) colors: Option<Colors<'a>>,
}

/// What a color bar shows.
pub(super) struct Colors<'a> {
    pub(super) label: &'a str,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) diverging: bool,
    pub(super) ticks: Ticks,
}

/// All panels placed, and the size of the whole.
pub(super) struct Page<'a> {
    /// The legend of the whole figure.
    pub(super) head: Block,
    pub(super) plots: Vec<Plot<'a>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Room that a panel needs around its axes.
struct Margins {
    left: f64,
    right: f64,
    top: f64,
}

pub(super) fn place<'a>(figure: &'a Figure, names: &Names, width: f64) -> Page<'a> {
    let panels = &figure.panels;
    let n_columns = if width < 480.0 {
        1
    } else {
        figure.columns.clamp(1, panels.len().max(1)).min(6)
    };
    let n_rows = panels.len().div_ceil(n_columns);
    let column_width = (width - GUTTER * (n_columns - 1) as f64) / n_columns as f64;
    let heights = row_heights(panels, n_columns, column_width);

    // Panels that share an axis share its limits.
    let above_each_other = |i: usize| -> Vec<&Panel> {
        if figure.shared_x {
            panels
                .iter()
                .skip(i % n_columns)
                .step_by(n_columns)
                .collect()
        } else {
            vec![&panels[i]]
        }
    };
    // In a grid, names that several panels share stand once, above all of them.
    let mut shown = vec![];
    let head = if n_columns > 1 {
        Block::of(
            names.shared_legend(panels, &mut shown),
            "",
            false,
            width + 40.0,
        )
    } else {
        Block::default()
    };
    let mut plots: Vec<Plot> = vec![];
    let mut margins: Vec<Margins> = vec![];
    for (i, panel) in panels.iter().enumerate() {
        let height = heights[i / n_columns];
        let y = y_scale(panel).to_pixels(height, 0.0);
        let y_labels = Labels::of(
            &panel.y,
            y,
            whole_y(panel),
            Side::Left { room: width * 0.3 },
            height,
        );
        let colors = colors(panel, height);
        let legend = names.legend(panel, &mut shown);
        let letter = (panels.len() > 1 && i < 26).then(|| char::from(b'a' + i as u8));
        let room = column_width - 8.0;
        let legend = Block::of(legend, &panel.title, letter.is_some(), room);
        margins.push(Margins {
            left: 12.0
                + y_labels.depth
                + label_lines(&panel.y, y_labels.ticks.power, height).len() as f64 * 12.5,
            right: colors.as_ref().map_or(10.0, bar_room),
            top: legend.height + 4.0,
        });
        let below = figure.shared_x && i + n_columns < panels.len();
        plots.push(Plot {
            panel,
            letter,
            x: x_scale(&above_each_other(i)),
            y,
            x_labels: Labels::default(),
            y_labels,
            x_shown: !below,
            legend,
            title_at: (0.0, 0.0),
            x_label_at: 0.0,
            y_label_at: 0.0,
            colors,
        });
    }

    let most = |column: usize, of: fn(&Margins) -> f64| {
        let in_column = margins.iter().skip(column).step_by(n_columns);
        in_column.map(of).fold(0.0, f64::max)
    };
    let mut top = 2.0
        + if head.is_empty() {
            0.0
        } else {
            head.height + 4.0
        };
    for (row, &height) in heights.iter().enumerate() {
        let members = row * n_columns..((row + 1) * n_columns).min(panels.len());
        let head = members.clone().map(|i| margins[i].top).fold(0.0, f64::max);
        let mut foot: f64 = 0.0;
        for i in members {
            let column = i % n_columns;
            let edge = column as f64 * (column_width + GUTTER);
            let (left, right) = (most(column, |m| m.left), most(column, |m| m.right));
            let mut inner = (column_width - left - right).max(20.0);
            if is_square(&panels[i]) && !figure.shared_x {
                inner = inner.min(height);
            }
            let plot = &mut plots[i];
            plot.title_at = (edge, top + 11.0);
            plot.x = plot.x.to_pixels(edge + left, edge + left + inner);
            // A square that ran out of width gives up height too.
            let height = if is_square(plot.panel) && !figure.shared_x {
                inner.min(height)
            } else {
                height
            };
            plot.y = plot.y.to_pixels(top + head + height, top + head);
            plot.y_label_at = edge + 11.0;
            let whole = whole_x(&above_each_other(i));
            plot.x_labels = Labels::of(&plot.panel.x, plot.x, whole, Side::Bottom { edge }, inner);
            if plot.x_shown {
                let lines = label_lines(&plot.panel.x, plot.x_labels.ticks.power, inner + 30.0);
                plot.x_label_at = top + head + height + 5.0 + plot.x_labels.depth + 13.0;
                let label = if lines.is_empty() {
                    0.0
                } else {
                    4.0 + 13.0 * lines.len() as f64
                };
                foot = foot.max(5.0 + plot.x_labels.depth + label);
            } else {
                foot = foot.max(TICK);
            }
        }
        top += head + height + foot + if row + 1 < n_rows { 10.0 } else { 4.0 };
    }
    Page {
        head,
        plots,
        width,
        height: top.max(20.0),
    }
}

/// The height of each row of panels.
fn row_heights(panels: &[Panel], n_columns: usize, column_width: f64) -> Vec<f64> {
    let n_rows = panels.len().div_ceil(n_columns);
    let base = match (n_columns, n_rows) {
        (1, 1) => (column_width * 0.42).clamp(190.0, 290.0),
        (1, 2) => (column_width * 0.3).clamp(150.0, 190.0),
        (1, _) => (column_width * 0.23).clamp(120.0, 140.0),
        _ => ((column_width - 60.0) * 0.72).clamp(90.0, 230.0),
    };
    panels
        .chunks(n_columns)
        .map(|row| {
            let tall = |p: &Panel| {
                let height = if p.height.is_finite() { p.height } else { 1.0 };
                let base = if is_square(p) {
                    base.max((column_width - 110.0).min(300.0))
                } else {
                    base
                };
                base * height.clamp(0.1, 12.0)
            };
            row.iter().map(tall).fold(24.0, f64::max)
        })
        .collect()
}

/// Whether the panel is a matrix of as many rows as columns: its cells are drawn as squares.
fn is_square(panel: &Panel) -> bool {
    matches!(panel.marks.first(), Some(Mark::Heatmap { values, x_range, y_range, .. })
    if values.len() > 1 && n_columns(values) == values.len()
        && match (x_range, y_range) {
            (None, None) => true,
            (Some((a, b)), Some((c, d))) => (a - b).abs() == (c - d).abs(),
            _ => false,
        })
}

/// Limits and ticks of the first matrix's color bar.
fn colors(panel: &Panel, height: f64) -> Option<Colors<'_>> {
    panel.marks.iter().find_map(|mark| match mark {
        Mark::Heatmap {
            series,
            values,
            color_range,
            diverging,
            ..
        } => {
            let (low, high) = super::heatmap::color_limits(values, *color_range, *diverging);
            let scale = Scale::new(low, high, false);
            let target = (height.min(legend::BAR_LENGTH) / 34.0)
                .floor()
                .clamp(1.0, 6.0);
            Some(Colors {
                label: series,
                low,
                high,
                diverging: *diverging,
                ticks: scale.ticks(target as usize, false),
            })
        }
        _ => None,
    })
}

/// From the right edge of the axes to the right edge of the color bar's label.
fn bar_room(colors: &Colors) -> f64 {
    let label = if colors.label.is_empty() { 0.0 } else { 16.0 };
    BAR_GAP + BAR_WIDTH + 6.0 + ticks_width(&colors.ticks) + label + 4.0
}

/// Width of the widest label.
pub(super) fn ticks_width(ticks: &Ticks) -> f64 {
    let widths = ticks
        .ticks
        .iter()
        .map(|t| text::width(&t.label, TICK_SIZE, false));
    widths.fold(0.0, f64::max)
}

/// The axis label, "quantity (unit)", in the one or two lines that fit into `room`.
pub(super) fn label_lines(axis: &Axis, power: i32, room: f64) -> Vec<String> {
    text::wrap(&axis_label(axis, power), LABEL_SIZE, room.max(40.0), 2)
}

/// "quantity (unit)"; pure numbers and names carry no unit, and a power of ten taken out of the ticks stands with it.
fn axis_label(axis: &Axis, power: i32) -> String {
    let power = if power == 0 {
        String::new()
    } else {
        format!("10{}", super::scale::superscript(power))
    };
    let unit = match axis.unit.as_str() {
        "1" | "category" => "",
        unit => unit,
    };
    let inside = [power.as_str(), unit].join(" ");
    match (axis.label.trim(), inside.trim()) {
        (label, "") => label.to_owned(),
        ("", inside) => inside.to_owned(),
        (label, inside) => format!("{label} ({inside})"),
    }
}
