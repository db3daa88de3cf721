//! The stimuli themselves.

use chiasm_lab::figure::{Axis, Figure, Mark, Panel};
use chiasm_probe::stimuli::Types;
use ndarray::{Array2, ArrayView3};

use super::figures::heatmap;

/// Most stimuli that are shown.
const MOST: usize = 24;

fn title(types: &Types, k: usize, name: &str) -> String {
    format!("{name} (n = {})", types.sizes()[k])
}

fn axes() -> (Axis, Axis) {
    (Axis::new("column", "pixel"), Axis::new("line", "pixel"))
}

/// One frame of a stimulus.
fn frame(types: &Types, k: usize, channel: usize, frame: usize) -> Array2<f64> {
    let shape = types.shape;
    let places = shape.n_places();
    let from = (channel * shape.frames + frame) * places;
    let row = types.stimuli.row(k);
    Array2::from_shape_fn((shape.height, shape.width), |(y, x)| {
        row[from + y * shape.width + x]
    })
}

/// The stimuli of image models, in the order in which like types stand side by side.
pub(super) fn images(id: &str, types: &Types, names: &[String]) -> Figure {
    let figure = Figure::new(
        id,
        "Most discriminative stimuli",
        "The image that drives the neurons of one found type and no other, and the number of neurons of the type. Like types \
         stand side by side; named by the true type of most of their neurons where that is known.",
    )
    .columns(4);
    types
        .order()
        .into_iter()
        .take(MOST)
        .fold(figure, |figure, k| {
            let (x, y) = axes();
            let panel = Panel::new(&title(types, k, &names[k]), x, y);
            figure.with(panel.with(heatmap("pixel (1)", &frame(types, k, 0, 0), None)))
        })
}

/// The stimuli of movie models: the frame of most contrast, and the course of time of what it shows.
pub(super) fn movies(id: &str, types: &Types, names: &[String]) -> Figure {
    let figure = Figure::new(
        id,
        "Most discriminative movies",
        "Pairs of panels: the frame of most contrast of the movie that drives the neurons of one found type and no other, \
         and how much each frame holds of that picture. Like types stand side by side.",
    )
    .columns(4);
    types
        .order()
        .into_iter()
        .take(MOST / 2)
        .fold(figure, |figure, k| {
            let shape = types.shape;
            let (peak, course) = peak_and_course(types, k);
            let (x, y) = axes();
            let picture = heatmap("pixel (1)", &frame(types, k, 0, peak), None);
            let figure = figure.with(Panel::new(&format!("frame {peak}"), x, y).with(picture));
            let mut panel = Panel::new(
                &title(types, k, &names[k]),
                Axis::new("frame", "index"),
                Axis::new("contrast", "1"),
            );
            for (channel, y) in course.into_iter().enumerate() {
                panel = panel.with(Mark::Line {
                    series: if shape.channels > 1 {
                        format!("channel {channel}")
                    } else {
                        String::new()
                    },
                    x: (0..shape.frames).map(|t| t as f64).collect(),
                    y,
                });
            }
            figure.with(panel)
        })
}

/// The frame of most contrast, and the projection of each frame of each channel on it.
fn peak_and_course(types: &Types, k: usize) -> (usize, Vec<Vec<f64>>) {
    let shape = types.shape;
    let row = types.stimuli.row(k);
    let dims = (shape.channels, shape.frames, shape.n_places());
    let flat = row.to_vec();
    let Ok(movie) = ArrayView3::from_shape(dims, &flat) else {
        return (0, vec![]);
    };
    let norm = |c: usize, t: usize| {
        let frame = movie.slice(ndarray::s![c, t, ..]);
        frame.dot(&frame).sqrt()
    };
    let peak = (0..shape.frames).fold(0, |b, t| if norm(0, t) > norm(0, b) { t } else { b });
    let course = (0..shape.channels)
        .map(|c| {
            let picture = movie.slice(ndarray::s![c, peak, ..]);
            let length = norm(c, peak);
            (0..shape.frames)
                .map(|t| {
                    let frame = movie.slice(ndarray::s![c, t, ..]);
                    if length > 0.0 {
                        frame.dot(&picture) / length
                    } else {
                        0.0
                    }
                })
                .collect()
        })
        .collect();
    (peak, course)
}
