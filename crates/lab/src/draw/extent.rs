//! What range of data an axis must show.

use super::scale::Scale;
use crate::figure::{Axis, Mark, Panel};

/// Lowest and highest of the finite values, if any.
#[derive(Debug, Clone, Copy)]
struct Extent {
    low: f64,
    high: f64,
}

impl Extent {
    const NONE: Self = Self {
        low: f64::INFINITY,
        high: f64::NEG_INFINITY,
    };

    fn add(&mut self, value: f64, log: bool) {
        if value.is_finite() && (!log || value > 0.0) {
            self.low = self.low.min(value);
            self.high = self.high.max(value);
        }
    }

    fn all(&mut self, values: &[f64], log: bool) {
        values.iter().for_each(|v| self.add(*v, log));
    }

    fn is_empty(self) -> bool {
        self.low > self.high
    }

    /// Room below and above, as parts of the length.
    fn padded(self, below: f64, above: f64, log: bool) -> (f64, f64) {
        if log {
            let decades = (self.high / self.low).log10().clamp(0.0, 600.0);
            let room = |part: f64| 10f64.powf(part * decades);
            (self.low / room(below), self.high * room(above))
        } else {
            let length = self.high - self.low;
            (self.low - below * length, self.high + above * length)
        }
    }
}

/// The edges of a heatmap along one axis: given, or half a cell around whole positions.
pub(super) fn edges(range: Option<(f64, f64)>, cells: usize) -> (f64, f64) {
    match range {
        Some((a, b)) if a.is_finite() && b.is_finite() && a != b => (a, b),
        _ => (-0.5, cells.max(1) as f64 - 0.5),
    }
}

/// Number of columns of a matrix whose rows may differ in length.
pub(super) fn n_columns(values: &[Vec<f64>]) -> usize {
    values.iter().map(Vec::len).max().unwrap_or(0)
}

/// A line of no more points than this shows them as dots.
pub(super) const FEW: usize = 25;

/// Smallest distance between neighboring positions of all bars of the panel, 1 where there is none.
pub(super) fn bar_gap(panel: &Panel) -> f64 {
    let mut at: Vec<f64> = panel
        .marks
        .iter()
        .filter_map(|m| match m {
            Mark::Bars { x, .. } => Some(x),
            _ => None,
        })
        .flatten()
        .copied()
        .filter(|x| x.is_finite())
        .collect();
    at.sort_by(f64::total_cmp);
    let gaps = at.windows(2).map(|w| w[1] - w[0]).filter(|g| *g > 0.0);
    let gap = gaps.fold(f64::INFINITY, f64::min);
    if gap.is_finite() { gap } else { 1.0 }
}

fn fixed(axis: &Axis) -> Option<(f64, f64)> {
    axis.range
        .filter(|(a, b)| a.is_finite() && b.is_finite() && a != b)
        .or_else(|| {
            let n = axis.categories.len();
            (n > 0).then(|| (-0.5, n as f64 - 0.5))
        })
}

/// The horizontal scale of panels that share it.
pub(super) fn x_scale(panels: &[&Panel]) -> Scale {
    let Some(first) = panels.first() else {
        return Scale::new(0.0, 1.0, false);
    };
    let log = first.x.log;
    if let Some((low, high)) = panels.iter().find_map(|p| fixed(&p.x)) {
        return Scale::new(low, high, log);
    }
    let mut extent = Extent::NONE;
    let (mut loose, mut tight) = (false, false);
    for panel in panels {
        for mark in &panel.marks {
            match mark {
                // Few points of a line are marked by dots, which need room too.
                Mark::Line { x, .. } if x.len() <= FEW => {
                    extent.all(x, log);
                    loose = true;
                }
                Mark::Points { x, .. } => {
                    extent.all(x, log);
                    loose = true;
                }
                Mark::Line { x, .. } | Mark::Band { x, .. } | Mark::Ticks { x, .. } => {
                    extent.all(x, log);
                }
                Mark::Bars { x, .. } => {
                    let half = bar_gap(panel) * 0.5;
                    for v in x {
                        extent.add(v - half, log);
                        extent.add(v + half, log);
                    }
                }
                Mark::Heatmap {
                    values, x_range, ..
                } => {
                    let (a, b) = edges(*x_range, n_columns(values));
                    extent.all(&[a, b], log);
                    tight = true;
                }
                Mark::VLine { x, .. } => extent.add(*x, log),
                Mark::Spans { .. } | Mark::HLine { .. } => {}
            }
        }
    }
    // Spans alone still need an axis.
    if extent.is_empty() {
        for mark in panels.iter().flat_map(|p| &p.marks) {
            if let Mark::Spans { spans, .. } = mark {
                for (a, b) in spans {
                    extent.all(&[*a, *b], log);
                }
            }
        }
    }
    if extent.is_empty() {
        return Scale::new(if log { 0.1 } else { 0.0 }, 1.0, log);
    }
    let room = if loose && !tight { 0.04 } else { 0.0 };
    let (low, high) = extent.padded(room, room, log);
    // A matrix whose columns run backwards is drawn as it was given.
    let backwards = panels
        .iter()
        .flat_map(|p| &p.marks)
        .any(|m| matches!(m, Mark::Heatmap { x_range: Some((a, b)), .. } if a > b));
    if backwards {
        Scale::new(high, low, log)
    } else {
        Scale::new(low, high, log)
    }
}

/// The vertical scale of a panel. Its `low` is drawn at the bottom, so with a matrix (row 0 at the top) it runs
/// backwards.
pub(super) fn y_scale(panel: &Panel) -> Scale {
    let log = panel.y.log;
    let mut extent = Extent::NONE;
    let (mut pad_low, mut pad_high) = (0.05, 0.05);
    // Names read from the top, like a list.
    let mut flipped = !panel.y.categories.is_empty() && panel.y.range.is_none();
    for mark in &panel.marks {
        match mark {
            Mark::Line { y, .. } | Mark::Points { y, .. } => extent.all(y, log),
            Mark::Bars { y, error, .. } => {
                extent.all(y, log);
                for (v, e) in y.iter().zip(error) {
                    extent.all(&[v - e, v + e], log);
                }
                extent.add(0.0, log);
            }
            Mark::Band { low, high, .. } => {
                extent.all(low, log);
                extent.all(high, log);
            }
            Mark::HLine { y, .. } => extent.add(*y, log),
            Mark::Ticks { y, .. } => {
                for v in y {
                    extent.all(&[v - 0.5, v + 0.5], log);
                }
                (pad_low, pad_high) = (0.0, 0.0);
            }
            Mark::Heatmap {
                values, y_range, ..
            } => {
                let (top, bottom) = edges(*y_range, values.len());
                extent.all(&[top, bottom], log);
                flipped = top < bottom;
                (pad_low, pad_high) = (0.0, 0.0);
            }
            Mark::Spans { .. } | Mark::VLine { .. } => {}
        }
    }
    if let Some((low, high)) = fixed(&panel.y) {
        return if flipped && low < high {
            Scale::new(high, low, log)
        } else {
            Scale::new(low, high, log)
        };
    }
    if extent.is_empty() {
        return Scale::new(if log { 0.1 } else { 0.0 }, 1.0, log);
    }
    let bars = panel.marks.iter().any(|m| matches!(m, Mark::Bars { .. }));
    // Bars stand on the axis itself.
    if bars && extent.low == 0.0 {
        pad_low = 0.0;
    }
    if bars && extent.high == 0.0 {
        pad_high = 0.0;
    }
    let (mut low, high) = extent.padded(pad_low, pad_high, log);
    // What is never negative has no room below zero.
    if extent.low >= 0.0 {
        low = low.max(0.0);
    }
    if flipped {
        Scale::new(high, low, log)
    } else {
        Scale::new(low, high, log)
    }
}

/// Whether the positions on the horizontal axis are whole numbers, so that ticks between them would mean nothing.
pub(super) fn whole_x(panels: &[&Panel]) -> bool {
    panels.iter().flat_map(|p| &p.marks).all(|mark| match mark {
        Mark::Line { x, .. }
        | Mark::Points { x, .. }
        | Mark::Bars { x, .. }
        | Mark::Band { x, .. }
        | Mark::Ticks { x, .. } => whole(x),
        Mark::Heatmap { x_range, .. } => x_range.is_none(),
        Mark::VLine { x, .. } => x.fract() == 0.0,
        Mark::Spans { .. } | Mark::HLine { .. } => true,
    })
}

/// As [`whole_x`], vertically: rows of rasters and matrices, counts.
pub(super) fn whole_y(panel: &Panel) -> bool {
    panel.marks.iter().all(|mark| match mark {
        Mark::Ticks { y, .. } => whole(y),
        Mark::Heatmap { y_range, .. } => y_range.is_none(),
        Mark::Line { y, .. } | Mark::Points { y, .. } => whole(y),
        Mark::Bars { y, error, .. } => whole(y) && error.is_empty(),
        Mark::Spans { .. } | Mark::VLine { .. } => true,
        Mark::HLine { y, .. } => y.fract() == 0.0,
        Mark::Band { .. } => false,
    })
}

fn whole(values: &[f64]) -> bool {
    values.iter().all(|v| !v.is_finite() || v.fract() == 0.0)
}
