//! Titles and legends: above the axes, never over the data.

use super::layout::{LETTER_SIZE, Plot, TITLE_SIZE};
use super::names::{Entry, Sample};
use super::palette::SPAN_OPACITY;
use super::pen::{Anchor, Ink, Pen, Text, num};
use super::{marks, text};

/// Longest color bar.
pub(super) const BAR_LENGTH: f64 = 170.0;
const SIZE: f64 = 10.0;
const SAMPLE: f64 = 15.0;
const GAP: f64 = 13.0;
const LINE: f64 = 14.5;

/// The head of a panel: title and legend, broken into lines.
#[derive(Debug, Default)]
pub(super) struct Block {
    title: String,
    /// Entries of each line with their place from the line's start.
    lines: Vec<Vec<(f64, Entry)>>,
    /// Width of the first line, when it stands beside the title.
    beside_title: Option<f64>,
    pub(super) height: f64,
}

impl Block {
    pub(super) fn of(entries: Vec<Entry>, title: &str, lettered: bool, room: f64) -> Self {
        let lead = if lettered { 18.0 } else { 0.0 };
        let title = text::shorten(title, TITLE_SIZE, true, room - lead);
        let title_width = lead + text::width(&title, TITLE_SIZE, true);
        let has_title = lettered || !title.is_empty();

        let mut lines: Vec<Vec<(f64, Entry)>> = vec![];
        let (mut at, mut widest) = (0.0, 0.0f64);
        for mut entry in entries {
            entry.name = text::shorten(&entry.name, SIZE, false, room - SAMPLE - 70.0);
            let wide = SAMPLE + 5.0 + text::width(&entry.name, SIZE, false);
            if lines.is_empty() || at + wide > room - 50.0 {
                lines.push(vec![]);
                at = 0.0;
            }
            if let Some(line) = lines.last_mut() {
                line.push((at, entry));
            }
            widest = widest.max(at + wide);
            at += wide + GAP;
        }
        let beside = has_title && lines.len() == 1 && title_width + 24.0 + widest <= room;
        let rows = lines.len() - usize::from(beside) + usize::from(has_title);
        Self {
            title,
            lines,
            beside_title: beside.then_some(widest),
            height: if rows == 0 {
                6.0
            } else {
                rows as f64 * LINE + 3.0
            },
        }
    }
}

impl Block {
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// Draws the legend of the whole figure.
pub(super) fn draw_head(pen: &mut Pen, block: &Block) {
    for (i, line) in block.lines.iter().enumerate() {
        draw_line(pen, line, 0.0, 13.0 + i as f64 * LINE);
    }
}

fn draw_line(pen: &mut Pen, line: &[(f64, Entry)], start: f64, y: f64) {
    for (at, entry) in line {
        let from = start + at;
        for sample in &entry.samples {
            draw_sample(pen, *sample, entry.look, from, y - 3.5);
        }
        let words = Text::new(from + SAMPLE + 5.0, y, &entry.name, SIZE);
        pen.text(&words.anchor(Anchor::Start).ink(Ink::Muted));
    }
}

/// Draws title and legend of a panel.
pub(super) fn draw(pen: &mut Pen, plot: &Plot) {
    let (edge, mut y) = plot.title_at;
    let left = plot.x.start().min(plot.x.end());
    let right = plot.x.start().max(plot.x.end());
    let block = &plot.legend;
    let mut x = left;
    if let Some(letter) = plot.letter {
        let letter = letter.to_string();
        pen.text(
            &Text::new(edge, y, &letter, LETTER_SIZE)
                .anchor(Anchor::Start)
                .bold(),
        );
        x = edge + 18.0;
    }
    // Over the axes where it fits there, else from the column's edge.
    if left + text::width(&block.title, TITLE_SIZE, true) <= right.max(left + 60.0) {
        x = x.max(left);
    }
    pen.text(
        &Text::new(x, y, &block.title, TITLE_SIZE)
            .anchor(Anchor::Start)
            .bold(),
    );
    let has_title = plot.letter.is_some() || !block.title.is_empty();
    if has_title && block.beside_title.is_none() {
        y += LINE;
    }
    for line in &block.lines {
        let start = block.beside_title.map_or(left, |wide| {
            (right - wide).max(x + text::width(&block.title, TITLE_SIZE, true) + 24.0)
        });
        draw_line(pen, line, start, y);
        y += LINE;
    }
}

fn draw_sample(pen: &mut Pen, sample: Sample, look: usize, x: f64, y: f64) {
    let ink = Ink::Series(look);
    let area = |h: f64| {
        let (x, y) = (num(x + 1.0), num(y - h / 2.0));
        format!(
            "M{x} {y}h{}v{}h-{}z",
            num(SAMPLE - 2.0),
            num(h),
            num(SAMPLE - 2.0)
        )
    };
    match sample {
        Sample::Line => {
            let dash = marks::dash(look);
            pen.line(
                (x, y),
                (x + SAMPLE, y),
                ink,
                &format!(" stroke-width=\"1.6\"{dash}"),
            );
        }
        Sample::Point => {
            let mut d = String::new();
            marks::shape(&mut d, look, x + SAMPLE / 2.0, y, 3.0);
            pen.path(&d, Some(ink), None, "");
        }
        Sample::Area => pen.path(&area(8.0), Some(ink), None, ""),
        Sample::Band => pen.path(&area(8.0), Some(ink), None, " fill-opacity=\"0.22\""),
        Sample::Span => {
            let more = format!(" fill-opacity=\"{}\"", num(SPAN_OPACITY + 0.1));
            pen.path(&area(9.0), Some(Ink::Span(look)), None, &more);
        }
        Sample::Reference => {
            let dash = marks::reference_dash(look);
            pen.line(
                (x, y),
                (x + SAMPLE, y),
                Ink::Muted,
                &format!(" stroke-width=\"1\"{dash}"),
            );
        }
        Sample::Tick => {
            let d: String = (0..3)
                .map(|i| format!("M{} {}v7", num(x + 4.0 + 3.5 * f64::from(i)), num(y - 3.5)))
                .collect();
            pen.path(&d, None, Some(ink), " stroke-width=\"1.1\"");
        }
    }
}
