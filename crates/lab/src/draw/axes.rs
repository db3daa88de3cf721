//! Axes: a thin line at the left and below, ticks outside, names and numbers that do not touch each other.

use super::layout::{
    BAR_GAP, BAR_WIDTH, LABEL_SIZE, Plot, TICK, TICK_SIZE, label_lines, ticks_width,
};
use super::pen::{Anchor, Ink, Pen, Text, num};
use super::scale::{Scale, Tick, Ticks};
use super::text;
use crate::figure::{Axis, Mark};

/// Which side of the panel an axis is on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Side {
    /// Names longer than `room` are shortened.
    Left { room: f64 },
    /// Slanted names end at the left `edge` of their column.
    Bottom { edge: f64 },
}

/// How the labels of an axis are written.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels {
    pub(super) ticks: Ticks,
    /// Lines of each label, one entry for each tick.
    lines: Vec<Vec<String>>,
    size: f64,
    /// Whether the labels below a panel are slanted.
    slanted: bool,
    /// Room they take away from the axis.
    pub(super) depth: f64,
}

/// Slant of names that have no room side by side, in degrees.
const SLANT: f64 = 40.0;

impl Labels {
    /// Labels along `length` pixels.
    pub(super) fn of(axis: &Axis, scale: Scale, whole: bool, side: Side, length: f64) -> Self {
        let names = &axis.categories;
        match side {
            Side::Left { room } if !names.is_empty() => {
                Self::names_beside(names, scale, length, room)
            }
            Side::Bottom { edge } if !names.is_empty() => {
                Self::names_below(names, scale, length, edge)
            }
            Side::Left { .. } => {
                let target = (length / 32.0).clamp(1.0, 8.0) as usize;
                let ticks = scale.ticks(target, whole);
                Self::numbers(TICK + 3.0 + ticks_width(&ticks), ticks)
            }
            Side::Bottom { .. } => {
                // Long numbers side by side: fewer of them.
                let most = (length / 50.0).clamp(2.0, 9.0) as usize;
                let mut fitting = (1..=most).rev().map(|target| scale.ticks(target, whole));
                let ticks = fitting.find(|ticks| !crowded(ticks, scale));
                Self::numbers(TICK + 8.0, ticks.unwrap_or_default())
            }
        }
    }

    fn numbers(depth: f64, ticks: Ticks) -> Self {
        Self {
            lines: ticks.ticks.iter().map(|t| vec![t.label.clone()]).collect(),
            ticks,
            size: TICK_SIZE,
            slanted: false,
            depth,
        }
    }

    /// Names beside a panel: smaller where they are many, then only every so-manyth.
    fn names_beside(names: &[String], scale: Scale, length: f64, room: f64) -> Self {
        let each = spacing(names.len(), scale, length);
        let size = (each * 0.92).clamp(7.0, TICK_SIZE);
        let every = thin(size * 1.08, each);
        let ticks = ticks_of(names, every, |name| text::shorten(name, size, false, room));
        let widths = ticks
            .ticks
            .iter()
            .map(|t| text::width(&t.label, size, false));
        Self {
            depth: TICK + 3.0 + widths.fold(0.0, f64::max),
            lines: ticks.ticks.iter().map(|t| vec![t.label.clone()]).collect(),
            ticks,
            size,
            slanted: false,
        }
    }

    /// Names below a panel: in one line, in a few lines, or slanted.
    fn names_below(names: &[String], scale: Scale, length: f64, edge: f64) -> Self {
        let each = spacing(names.len(), scale, length);
        let fits = |size: f64| -> Option<Vec<Vec<String>>> {
            names
                .iter()
                .map(|name| {
                    let words = name.split_whitespace();
                    let widest = words
                        .map(|w| text::width(w, size, false))
                        .fold(0.0, f64::max);
                    let lines = text::wrap(name, size, each - 5.0, 99);
                    (widest <= each - 5.0 && lines.len() <= 4).then_some(lines)
                })
                .collect()
        };
        for size in [TICK_SIZE, 9.0] {
            if let Some(lines) = fits(size) {
                let most = lines.iter().map(Vec::len).max().unwrap_or(1);
                return Self {
                    ticks: ticks_of(names, 1, str::to_owned),
                    depth: TICK + 8.0 + (most.max(1) - 1) as f64 * (size + 1.5),
                    lines,
                    size,
                    slanted: false,
                };
            }
        }
        let (sin, size) = (SLANT.to_radians().sin(), (each * 0.8).clamp(7.5, TICK_SIZE));
        let every = thin(size * 1.15 / sin, each);
        let mut ticks = ticks_of(names, every, str::to_owned);
        for tick in &mut ticks.ticks {
            let left = scale.place(tick.at).unwrap_or(edge) - edge;
            let room = (left / SLANT.to_radians().cos() - 2.0).clamp(24.0, 120.0);
            tick.label = text::shorten(&tick.label, size, false, room);
        }
        let widths = ticks
            .ticks
            .iter()
            .map(|t| text::width(&t.label, size, false));
        Self {
            depth: TICK + 3.0 + widths.fold(0.0, f64::max) * sin + size * 0.5,
            lines: ticks.ticks.iter().map(|t| vec![t.label.clone()]).collect(),
            ticks,
            size,
            slanted: true,
        }
    }
}

/// Pixels between neighboring names.
fn spacing(n: usize, scale: Scale, length: f64) -> f64 {
    length / (scale.max() - scale.min()).max(n.min(1) as f64)
}

/// Every how many names one is written, so that `needed` pixels remain for each.
fn thin(needed: f64, each: f64) -> usize {
    (needed / each.max(1e-6)).ceil().clamp(1.0, 1e9) as usize
}

fn ticks_of(names: &[String], every: usize, write: impl Fn(&str) -> String) -> Ticks {
    let kept = names.iter().enumerate().step_by(every.max(1));
    Ticks {
        ticks: kept
            .map(|(i, name)| Tick {
                at: i as f64,
                label: write(name),
            })
            .collect(),
        power: 0,
    }
}

/// Whether two numbers side by side come closer than a space.
fn crowded(ticks: &Ticks, scale: Scale) -> bool {
    let mut written: Vec<(f64, f64)> = ticks
        .ticks
        .iter()
        .filter(|t| !t.label.is_empty())
        .filter_map(|t| Some((scale.place(t.at)?, text::width(&t.label, TICK_SIZE, false))))
        .collect();
    written.sort_by(|a, b| a.0.total_cmp(&b.0));
    written
        .windows(2)
        .any(|w| w[1].0 - w[0].0 < (w[0].1 + w[1].1) / 2.0 + 15.0)
}

/// Draws both axes of a panel with their labels.
pub(super) fn draw(pen: &mut Pen, plot: &Plot) {
    let (left, right) = (
        plot.x.start().min(plot.x.end()),
        plot.x.start().max(plot.x.end()),
    );
    let (top, bottom) = (plot.y.end(), plot.y.start());
    let matrix = plot
        .panel
        .marks
        .iter()
        .any(|m| matches!(m, Mark::Heatmap { .. }));
    if !matrix {
        let spine = format!("M{} {}V{}H{}", num(left), num(top), num(bottom), num(right));
        pen.path(
            &spine,
            None,
            Some(Ink::Text),
            " stroke-width=\"0.8\" stroke-linecap=\"square\"",
        );
    }
    ticks_below(pen, plot, bottom);
    ticks_beside(pen, plot, left);

    let middle = (top + bottom) / 2.0;
    let lines = label_lines(&plot.panel.y, plot.y_labels.ticks.power, bottom - top);
    for (i, line) in lines.iter().enumerate() {
        let x = plot.y_label_at + i as f64 * 12.5;
        pen.text(&Text::new(x, middle, line, LABEL_SIZE).turn(-90.0));
    }
    if plot.x_shown {
        let middle = (left + right) / 2.0;
        let lines = label_lines(
            &plot.panel.x,
            plot.x_labels.ticks.power,
            right - left + 30.0,
        );
        for (i, line) in lines.iter().enumerate() {
            let y = plot.x_label_at + i as f64 * 13.0;
            pen.text(&Text::new(middle, y, line, LABEL_SIZE));
        }
    }
}

fn ticks_below(pen: &mut Pen, plot: &Plot, bottom: f64) {
    let labels = &plot.x_labels;
    let mut marks = String::new();
    for (tick, lines) in labels.ticks.ticks.iter().zip(&labels.lines) {
        let Some(x) = visible(plot.x, tick.at) else {
            continue;
        };
        let length = if tick.label.is_empty() {
            TICK * 0.6
        } else {
            TICK
        };
        marks.push_str(&format!("M{} {}v{}", num(x), num(bottom), num(length)));
        if !plot.x_shown {
            continue;
        }
        for (i, line) in lines.iter().enumerate() {
            let at = bottom + TICK + 3.0 + labels.size * 0.8;
            let text = if labels.slanted {
                let at = bottom + TICK + 2.0 + labels.size * 0.6;
                Text::new(x + labels.size * 0.35, at, line, labels.size)
                    .anchor(Anchor::End)
                    .turn(-SLANT)
            } else {
                Text::new(x, at + i as f64 * (labels.size + 1.5), line, labels.size)
            };
            pen.text(&text.ink(Ink::Muted));
        }
    }
    pen.path(&marks, None, Some(Ink::Text), " stroke-width=\"0.8\"");
}

fn ticks_beside(pen: &mut Pen, plot: &Plot, left: f64) {
    let labels = &plot.y_labels;
    let mut marks = String::new();
    for tick in &labels.ticks.ticks {
        let Some(y) = visible(plot.y, tick.at) else {
            continue;
        };
        let length = if tick.label.is_empty() {
            TICK * 0.6
        } else {
            TICK
        };
        marks.push_str(&format!("M{} {}h{}", num(left), num(y), num(-length)));
        let text = Text::new(
            left - TICK - 3.0,
            y + labels.size * 0.35,
            &tick.label,
            labels.size,
        );
        pen.text(&text.anchor(Anchor::End).ink(Ink::Muted));
    }
    pen.path(&marks, None, Some(Ink::Text), " stroke-width=\"0.8\"");
}

/// The pixel of a tick, if it lies on the axis.
fn visible(scale: Scale, at: f64) -> Option<f64> {
    let (from, to) = (
        scale.start().min(scale.end()),
        scale.start().max(scale.end()),
    );
    scale
        .place(at)
        .filter(|p| *p >= from - 0.5 && *p <= to + 0.5)
}

/// Draws the color bar at the right of a matrix.
pub(super) fn color_bar(pen: &mut Pen, plot: &Plot) {
    let Some(colors) = &plot.colors else { return };
    let (top, bottom) = (plot.y.end(), plot.y.start());
    let length = (bottom - top).min(super::legend::BAR_LENGTH);
    let bottom = top + length;
    let x = plot.x.start().max(plot.x.end()) + BAR_GAP;
    let id = pen.id();
    let stops: String = (0..=16)
        .map(|i| {
            let part = f64::from(i) / 16.0;
            let [r, g, b] = super::palette::color_at(part, colors.diverging);
            format!(
                "<stop offset=\"{}\" stop-color=\"#{r:02x}{g:02x}{b:02x}\"/>",
                num(part * 100.0) + "%"
            )
        })
        .collect();
    pen.raw(&format!(
        "<linearGradient id=\"{id}\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">{stops}</linearGradient>\n\
         <rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"url(#{id})\"/>",
        num(x),
        num(top),
        num(BAR_WIDTH),
        num(length)
    ));
    let scale = Scale::new(colors.low, colors.high, false).to_pixels(bottom, top);
    let edge = x + BAR_WIDTH;
    let mut marks = String::new();
    for tick in &colors.ticks.ticks {
        let Some(y) = visible(scale, tick.at) else {
            continue;
        };
        marks.push_str(&format!("M{} {}h{}", num(edge), num(y), num(TICK * 0.7)));
        let text = Text::new(edge + 6.0, y + TICK_SIZE * 0.35, &tick.label, TICK_SIZE);
        pen.text(&text.anchor(Anchor::Start).ink(Ink::Muted));
    }
    pen.path(&marks, None, Some(Ink::Text), " stroke-width=\"0.8\"");
    // A pure number needs no unit.
    let label = colors.label.trim_end_matches(" (1)");
    let power = colors.ticks.power;
    let label = if power == 0 {
        label.to_owned()
    } else {
        format!("{label} (×10{})", super::scale::superscript(power))
    };
    let room = (plot.y.start() - top).max(40.0);
    let label = text::shorten(&label, LABEL_SIZE, false, room);
    let x = edge + 6.0 + ticks_width(&colors.ticks) + 13.0;
    let half = text::width(&label, LABEL_SIZE, false) / 2.0;
    // Beside the bar's middle, or lower where it would stick out above.
    let y = ((top + bottom) / 2.0).max(top + half);
    pen.text(&Text::new(x, y, &label, LABEL_SIZE).turn(-90.0));
}
