//! The marks: what each kind of data looks like.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::extent::{FEW, bar_gap};
use super::layout::Plot;
use super::names::Names;
use super::palette::SPAN_OPACITY;
use super::pen::{Anchor, Ink, Pen, Text, num};
use super::scale::Scale;
use super::{heatmap, text};
use crate::figure::Mark;

/// How far marks may reach over the edge of their panel.
const MARGIN: f64 = 3.0;

/// Draws all marks of a panel, from back to front, cut at its axes.
pub(super) fn draw(pen: &mut Pen, plot: &Plot, names: &Names) {
    let (left, right) = (
        plot.x.start().min(plot.x.end()),
        plot.x.start().max(plot.x.end()),
    );
    let (top, bottom) = (plot.y.end(), plot.y.start());
    let id = pen.id();
    // A little more, so that lines along the edge and points on it stay whole.
    pen.raw(&format!(
        "<clipPath id=\"{id}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n\
         <g clip-path=\"url(#{id})\">",
        num(left - MARGIN),
        num(top - MARGIN),
        num(right - left + 2.0 * MARGIN),
        num(bottom - top + 2.0 * MARGIN)
    ));
    let mut bars_before = 0;
    for mark in &plot.panel.marks {
        let look = names.look(mark);
        let ink = look.map_or(Ink::Text, Ink::Series);
        match mark {
            Mark::Line { x, y, .. } => line(pen, plot, &places(plot, x, y), look),
            Mark::Points { x, y, .. } => points(pen, plot, &places(plot, x, y), look),
            Mark::Bars { x, y, error, .. } => {
                let ink = look.map_or(Ink::Faint, Ink::Series);
                bars(pen, plot, (x, y, error), ink, bars_before);
                bars_before += 1;
            }
            Mark::Band { x, low, high, .. } => band(pen, plot, x, low, high, ink),
            Mark::Heatmap {
                values,
                x_range,
                y_range,
                ..
            } => {
                heatmap::draw(pen, plot, values, *x_range, *y_range);
            }
            Mark::Spans { spans, .. } => shade(pen, plot, spans, look.unwrap_or(0)),
            Mark::HLine { y, .. } => {
                if let Some(y) = plot.y.place(*y) {
                    let (ink, more) = reference(plot, look);
                    pen.line((left, y), (right, y), ink, &more);
                }
            }
            Mark::VLine { x, .. } => {
                if let Some(x) = plot.x.place(*x) {
                    let (ink, more) = reference(plot, look);
                    pen.line((x, top), (x, bottom), ink, &more);
                }
            }
            Mark::Ticks { x, y, .. } => raster(pen, plot, x, y, ink),
        }
    }
    pen.raw("</g>");
    if !plot.panel.marks.iter().any(has_data) {
        let middle = ((left + right) / 2.0, (top + bottom) / 2.0 + 3.0);
        pen.text(&Text::new(middle.0, middle.1, "no data", 10.0).ink(Ink::Faint));
    }
    labels(pen, plot);
}

/// How a reference line is drawn: dashed, or hair-thin where it would hide the cells of a matrix.
fn reference(plot: &Plot<'_>, look: Option<usize>) -> (Ink, String) {
    let is_matrix = |m: &Mark| matches!(m, Mark::Heatmap { diverging, .. } if !diverging);
    if plot.panel.marks.iter().any(is_matrix) {
        (
            Ink::Paper,
            " stroke-width=\"0.5\" stroke-opacity=\"0.7\"".into(),
        )
    } else {
        let dash = reference_dash(look.unwrap_or(0));
        (Ink::Muted, format!(" stroke-width=\"1\"{dash}"))
    }
}

/// Whether there is a finite number to show.
fn has_data(mark: &Mark) -> bool {
    let any = |v: &[f64]| v.iter().any(|v| v.is_finite());
    match mark {
        Mark::Line { x, y, .. }
        | Mark::Points { x, y, .. }
        | Mark::Bars { x, y, .. }
        | Mark::Ticks { x, y, .. } => any(x) && any(y),
        Mark::Band { x, low, high, .. } => any(x) && any(low) && any(high),
        Mark::Heatmap { values, .. } => values.iter().any(|row| any(row)),
        Mark::Spans { spans, .. } => !spans.is_empty(),
        Mark::HLine { y: at, .. } | Mark::VLine { x: at, .. } => at.is_finite(),
    }
}

/// Pixels of points; `None` where a point has no place.
fn places(plot: &Plot, x: &[f64], y: &[f64]) -> Vec<Option<(f64, f64)>> {
    let both = x.iter().zip(y);
    both.map(|(x, y)| Some((plot.x.place(*x)?, plot.y.place(*y)?)))
        .collect()
}

/// Runs of points without a gap.
fn runs(places: &[Option<(f64, f64)>]) -> impl Iterator<Item = Vec<(f64, f64)>> {
    places
        .split(Option::is_none)
        .map(|run| run.iter().flatten().copied().collect::<Vec<_>>())
        .filter(|run| !run.is_empty())
}

/// At most four points for each half pixel of width (first, lowest, highest, last): the line looks the same.
fn thinned(run: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let column = |p: &(f64, f64)| (p.0 * 2.0).floor() as i64;
    let mut kept = vec![];
    for group in run.chunk_by(|a, b| column(a) == column(b)) {
        if group.len() <= 4 {
            kept.extend_from_slice(group);
            continue;
        }
        let by_height = |a: &usize, b: &usize| group[*a].1.total_cmp(&group[*b].1);
        let lowest = (0..group.len()).min_by(by_height).unwrap_or(0);
        let highest = (0..group.len()).max_by(by_height).unwrap_or(0);
        let order = BTreeSet::from([0, lowest, highest, group.len() - 1]);
        kept.extend(order.into_iter().map(|i| group[i]));
    }
    kept
}

/// Beyond the number of colors, lines are told apart by dashes.
pub(super) fn dash(look: usize) -> &'static str {
    match look / super::palette::SERIES.len() {
        0 => "",
        1 => " stroke-dasharray=\"5 2.5\"",
        2 => " stroke-dasharray=\"1.5 2\"",
        _ => " stroke-dasharray=\"7 2 1.5 2\"",
    }
}

/// Reference lines are dashed, each in its own way.
pub(super) fn reference_dash(look: usize) -> &'static str {
    match look % 4 {
        0 => " stroke-dasharray=\"4 3\"",
        1 => " stroke-dasharray=\"1.2 2.4\"",
        2 => " stroke-dasharray=\"8 3 2 3\"",
        _ => " stroke-dasharray=\"10 4\"",
    }
}

fn line(pen: &mut Pen, plot: &Plot, places: &[Option<(f64, f64)>], look: Option<usize>) {
    let n_lines = plot
        .panel
        .marks
        .iter()
        .filter(|m| matches!(m, Mark::Line { .. }))
        .count();
    let ink = match look {
        Some(look) => Ink::Series(look),
        None if n_lines > 3 => Ink::Faint,
        None => Ink::Text,
    };
    let few = places.len() <= FEW && n_lines <= 8;
    let (mut d, mut dots) = (String::new(), String::new());
    for run in runs(places) {
        let run = if run.len() > 400 { thinned(&run) } else { run };
        for (i, (x, y)) in run.iter().enumerate() {
            // A letter is needed only where the command changes: after M, L is implied.
            let lead = if i == 0 { "M" } else { " " };
            let _ = write!(d, "{lead}{} {}", num(*x), num(*y));
            if few || run.len() == 1 {
                let _ = write!(dots, "M{} {}h.01", num(*x), num(*y));
            }
        }
    }
    let width = match places.len() {
        _ if n_lines > 8 => 0.9,
        0..=400 => 1.5,
        401..=2000 => 1.1,
        _ => 0.9,
    };
    let dash = dash(look.unwrap_or(0));
    let more = format!(
        " stroke-width=\"{width}\" stroke-linejoin=\"round\" stroke-linecap=\"round\"{dash}"
    );
    pen.path(&d, None, Some(ink), &more);
    let size = if few { 4.6 } else { 2.5 };
    pen.path(
        &dots,
        None,
        Some(ink),
        &format!(" stroke-width=\"{size}\" stroke-linecap=\"round\""),
    );
}

/// Adds one point's outline to a path; the shape goes with the look, so that color is not alone.
pub(super) fn shape(d: &mut String, look: usize, x: f64, y: f64, r: f64) {
    let _ = match look % 4 {
        0 => write!(
            d,
            "M{} {}a{r} {r} 0 1 0 {} 0a{r} {r} 0 1 0 -{} 0z",
            num(x - r),
            num(y),
            num(2.0 * r),
            num(2.0 * r)
        ),
        1 => {
            let r = r * 0.9;
            write!(
                d,
                "M{} {}h{s}v{s}h-{s}z",
                num(x - r),
                num(y - r),
                s = num(2.0 * r)
            )
        }
        2 => {
            let r = r * 1.2;
            write!(
                d,
                "M{} {}L{} {}H{}z",
                num(x),
                num(y - r),
                num(x + r),
                num(y + r * 0.75),
                num(x - r)
            )
        }
        _ => {
            let r = num(r * 1.3);
            write!(
                d,
                "M{} {}l{r} {r}l-{r} {r}l-{r} -{r}z",
                num(x),
                num(y - r.parse().unwrap_or(3.0))
            )
        }
    };
}

/// The radius of points: smaller where there are many.
fn radius(n: usize) -> f64 {
    match n {
        0..=60 => 3.0,
        61..=400 => 2.2,
        401..=3000 => 1.5,
        _ => 1.0,
    }
}

fn points(pen: &mut Pen, plot: &Plot, places: &[Option<(f64, f64)>], look: Option<usize>) {
    let n_all: usize = plot
        .panel
        .marks
        .iter()
        .map(|m| match m {
            Mark::Points { x, .. } => x.len(),
            _ => 0,
        })
        .sum();
    let r = radius(n_all);
    // Many points on one pixel are one point.
    let mut seen = BTreeSet::new();
    let mut d = String::new();
    for (x, y) in places.iter().flatten() {
        if n_all > 2000 && !seen.insert(((x * 2.0).round() as i64, (y * 2.0).round() as i64)) {
            continue;
        }
        shape(&mut d, look.unwrap_or(0), *x, *y, r);
    }
    let ink = look.map_or(Ink::Text, Ink::Series);
    let more = if n_all > 150 {
        " fill-opacity=\"0.75\""
    } else {
        " fill-opacity=\"0.92\""
    };
    pen.path(&d, Some(ink), None, more);
}

/// Names beside points: each goes to the first of eight places where it touches neither a point nor another name; one
/// without such a place is left out (the data table has them all).
fn labels(pen: &mut Pen, plot: &Plot) {
    const SIZE: f64 = 8.5;
    let (left, right) = (
        plot.x.start().min(plot.x.end()),
        plot.x.start().max(plot.x.end()),
    );
    let (top, bottom) = (plot.y.end(), plot.y.start());
    let inside = |p: &(f64, f64)| p.0 >= left && p.0 <= right && p.1 >= top && p.1 <= bottom;
    let mut taken: Vec<[f64; 4]> = vec![];
    let mut wanted: Vec<((f64, f64), &str)> = vec![];
    for mark in &plot.panel.marks {
        let Mark::Points { x, y, labels, .. } = mark else {
            continue;
        };
        for (i, place) in places(plot, x, y).into_iter().enumerate() {
            let Some(p) = place.filter(inside) else {
                continue;
            };
            if taken.len() < 4000 {
                taken.push([p.0 - 2.5, p.1 - 2.5, p.0 + 2.5, p.1 + 2.5]);
            }
            if let Some(label) = labels.get(i).filter(|l| !l.is_empty()) {
                wanted.push((p, label));
            }
        }
    }
    for ((x, y), label) in wanted {
        let (w, h) = (text::width(label, SIZE, false), SIZE * 0.75);
        let (near, far) = (4.5, 3.0);
        let spots = [
            (x + near, y + h / 2.0),
            (x - near - w, y + h / 2.0),
            (x - w / 2.0, y - near),
            (x - w / 2.0, y + near + h),
            (x + far, y - far),
            (x + far, y + far + h),
            (x - far - w, y - far),
            (x - far - w, y + far + h),
        ];
        for (x, y) in spots {
            let b = [x - 0.5, y - h - 0.5, x + w + 0.5, y + 0.5];
            let within = b[0] >= left && b[2] <= right + 8.0 && b[1] >= top - 8.0 && b[3] <= bottom;
            let apart = |t: &[f64; 4]| b[2] <= t[0] || b[0] >= t[2] || b[3] <= t[1] || b[1] >= t[3];
            if within && taken.iter().all(apart) {
                taken.push(b);
                pen.text(&Text::new(x, y, label, SIZE).anchor(Anchor::Start));
                break;
            }
        }
    }
}

fn bars(pen: &mut Pen, plot: &Plot, data: (&[f64], &[f64], &[f64]), ink: Ink, before: usize) {
    let (x, y, error) = data;
    let n_series = plot
        .panel
        .marks
        .iter()
        .filter(|m| matches!(m, Mark::Bars { .. }))
        .count();
    // Series that stand at the same positions share the room there; others keep it.
    let together = n_series > 1 && shares_positions(plot);
    let gap = bar_gap(plot.panel);
    let wide = gap
        * if together {
            0.82 / n_series as f64
        } else {
            0.72
        };
    let offset = if together {
        (before as f64 - (n_series - 1) as f64 / 2.0) * wide
    } else {
        0.0
    };
    let (top, bottom) = (plot.y.end(), plot.y.start());
    let zero = plot
        .y
        .place(0.0)
        .unwrap_or(bottom)
        .clamp(top - 5.0, bottom + 5.0);
    let (mut d, mut whiskers) = (String::new(), String::new());
    for (i, (x, value)) in x.iter().zip(y).enumerate() {
        let center = x + offset;
        let edges = (
            plot.x.place(center - wide / 2.0),
            plot.x.place(center + wide / 2.0),
        );
        let ((Some(a), Some(b)), Some(height)) = (edges, plot.y.place(*value)) else {
            continue;
        };
        // A hair of paper between neighbors.
        let (a, b) = (a.min(b), a.max(b));
        let hair = if b - a > 4.0 { 0.4 } else { 0.0 };
        let (from, to) = (zero.min(height), zero.max(height));
        let _ = write!(
            d,
            "M{} {}H{}V{}H{}z",
            num(a + hair),
            num(from),
            num(b - hair),
            num(to),
            num(a + hair)
        );
        let Some(e) = error.get(i).copied().filter(|e| e.is_finite() && *e > 0.0) else {
            continue;
        };
        let low = plot.y.place(value - e).unwrap_or(bottom);
        let (Some(high), middle) = (plot.y.place(value + e), (a + b) / 2.0) else {
            continue;
        };
        let cap = ((b - a) * 0.25).min(3.0);
        let _ = write!(whiskers, "M{} {}V{}", num(middle), num(low), num(high));
        for end in [low, high] {
            let _ = write!(
                whiskers,
                "M{} {}h{}",
                num(middle - cap),
                num(end),
                num(2.0 * cap)
            );
        }
    }
    pen.path(&d, Some(ink), None, "");
    pen.path(&whiskers, None, Some(Ink::Text), " stroke-width=\"0.9\"");
}

/// Whether two series of bars have a position in common.
fn shares_positions(plot: &Plot) -> bool {
    let mut seen = BTreeSet::new();
    for mark in &plot.panel.marks {
        if let Mark::Bars { x, .. } = mark {
            let own: BTreeSet<u64> = x.iter().map(|v| v.to_bits()).collect();
            if !seen.is_disjoint(&own) {
                return true;
            }
            seen.extend(own);
        }
    }
    false
}

fn band(pen: &mut Pen, plot: &Plot, x: &[f64], low: &[f64], high: &[f64], ink: Ink) {
    // Where the logarithm has no zero, the band goes down to the axis.
    let floor = plot.y.is_log().then(|| plot.y.start());
    let edge = |x: f64, v: f64| {
        Some((
            plot.x.place(x)?,
            plot.y.place(v).or(floor.filter(|_| v <= 0.0))?,
        ))
    };
    let mut places = vec![];
    for ((x, low), high) in x.iter().zip(low).zip(high) {
        places.push(edge(*x, *low).zip(edge(*x, *high)));
    }
    let mut d = String::new();
    for run in places.split(Option::is_none) {
        let run: Vec<_> = run.iter().flatten().copied().collect();
        if run.len() < 2 {
            continue;
        }
        let lower: Vec<_> = run.iter().map(|p| p.0).collect();
        let upper: Vec<_> = run.iter().map(|p| p.1).collect();
        let (lower, upper) = if run.len() > 400 {
            (thinned(&lower), thinned(&upper))
        } else {
            (lower, upper)
        };
        for (i, (x, y)) in lower.iter().chain(upper.iter().rev()).enumerate() {
            let lead = if i == 0 { "M" } else { " " };
            let _ = write!(d, "{lead}{} {}", num(*x), num(*y));
        }
        d.push('z');
    }
    pen.path(&d, Some(ink), None, " fill-opacity=\"0.18\"");
}

fn shade(pen: &mut Pen, plot: &Plot, spans: &[(f64, f64)], look: usize) {
    let (top, bottom) = (plot.y.end(), plot.y.start());
    let mut d = String::new();
    for (from, to) in spans {
        // A span that is open at one end goes to the edge of the panel.
        let a = plot.x.place(clamped(*from, plot.x));
        let b = plot.x.place(clamped(*to, plot.x));
        let (Some(a), Some(b)) = (a, b) else { continue };
        // Short ones stay visible.
        let (a, b) = (a.min(b), a.max(b).max(a.min(b) + 0.6));
        let _ = write!(
            d,
            "M{} {}H{}V{}H{}z",
            num(a),
            num(top),
            num(b),
            num(bottom),
            num(a)
        );
    }
    let more = format!(" fill-opacity=\"{}\"", num(SPAN_OPACITY));
    pen.path(&d, Some(Ink::Span(look)), None, &more);
}

fn clamped(value: f64, scale: Scale) -> f64 {
    match value {
        f64::INFINITY => scale.max(),
        f64::NEG_INFINITY => scale.min(),
        v => v,
    }
}

fn raster(pen: &mut Pen, plot: &Plot, x: &[f64], y: &[f64], ink: Ink) {
    let row = match (plot.y.place(plot.y.min()), plot.y.place(plot.y.min() + 1.0)) {
        (Some(a), Some(b)) => (a - b).abs(),
        _ => 8.0,
    };
    let tall = (row * 0.8).clamp(1.0, 22.0);
    let mut seen = BTreeSet::new();
    let mut d = String::new();
    for (x, y) in places(plot, x, y).into_iter().flatten() {
        // Several events on a quarter of a pixel are one stroke.
        if seen.insert(((x * 4.0).round() as i64, (y * 4.0).round() as i64)) {
            let _ = write!(d, "M{} {}v{}", num(x), num(y - tall / 2.0), num(tall));
        }
    }
    let width = if seen.len() > 2000 { 0.6 } else { 1.0 };
    pen.path(&d, None, Some(ink), &format!(" stroke-width=\"{width}\""));
}
