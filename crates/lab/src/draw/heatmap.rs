//! Matrices: an embedded PNG with a palette, so that many cells stay few bytes.

use base64::Engine as _;

use super::extent::{edges, n_columns};
use super::layout::Plot;
use super::palette::{MISSING, color_at, rgb};
use super::pen::{Pen, num};

/// Most cells along a side; larger matrices are averaged in blocks, NaN left out. No screen or page shows more.
const MOST_ROWS: usize = 1200;
const MOST_COLUMNS: usize = 2000;
/// Small matrices are enlarged to about this many pixels, so that no viewer blurs the borders between cells.
const ENLARGED: usize = 600;

/// Limits of the colors: as given, or from the finite values; symmetric around zero where diverging.
pub(super) fn color_limits(
    values: &[Vec<f64>],
    range: Option<(f64, f64)>,
    diverging: bool,
) -> (f64, f64) {
    if let Some((a, b)) = range.filter(|(a, b)| a.is_finite() && b.is_finite() && a != b) {
        return (a, b);
    }
    let finite = values.iter().flatten().copied().filter(|v| v.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
        (l.min(v), h.max(v))
    });
    if low > high {
        return (0.0, 1.0);
    }
    // Far from the largest double, where differences overflow.
    let (low, high) = (low.clamp(-1e300, 1e300), high.clamp(-1e300, 1e300));
    if diverging {
        let most = low.abs().max(high.abs());
        let most = if most > 0.0 { most } else { 1.0 };
        (-most, most)
    } else if low == high {
        let room = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        (low - room, high + room)
    } else {
        (low, high)
    }
}

/// Draws one matrix into a panel.
pub(super) fn draw(
    pen: &mut Pen,
    plot: &Plot,
    values: &[Vec<f64>],
    x_range: Option<(f64, f64)>,
    y_range: Option<(f64, f64)>,
) {
    let Some(colors) = &plot.colors else { return };
    let (x0, x1) = edges(x_range, n_columns(values));
    let (y0, y1) = edges(y_range, values.len());
    let places = (
        plot.x.place(x0),
        plot.x.place(x1),
        plot.y.place(y0),
        plot.y.place(y1),
    );
    let (Some(left), Some(right), Some(top), Some(bottom)) = places else {
        return;
    };
    let Some(image) = image(
        values,
        (colors.low, colors.high),
        colors.diverging,
        right < left,
        bottom < top,
    ) else {
        return;
    };
    let data = base64::engine::general_purpose::STANDARD.encode(image);
    pen.raw(&format!(
        "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
         style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{data}\"/>",
        num(left.min(right)),
        num(top.min(bottom)),
        num((right - left).abs()),
        num((bottom - top).abs())
    ));
}

/// The matrix as a PNG; `None` where it has no cells.
fn image(
    values: &[Vec<f64>],
    (low, high): (f64, f64),
    diverging: bool,
    mirror: bool,
    upside_down: bool,
) -> Option<Vec<u8>> {
    let (n_rows, n_columns) = (values.len(), n_columns(values));
    if n_rows == 0 || n_columns == 0 {
        return None;
    }
    let (rows, columns) = (n_rows.min(MOST_ROWS), n_columns.min(MOST_COLUMNS));
    let zoom = (ENLARGED / rows.max(columns)).clamp(1, 60);
    let mut pixels = Vec::with_capacity(rows * columns * zoom * zoom);
    for row in 0..rows {
        let row = if upside_down { rows - 1 - row } else { row };
        let mut line = Vec::with_capacity(columns * zoom);
        for column in 0..columns {
            let column = if mirror { columns - 1 - column } else { column };
            let value = block_mean(
                values,
                part(row, rows, n_rows),
                part(column, columns, n_columns),
            );
            let index = shade(value, low, high);
            line.extend(std::iter::repeat_n(index, zoom));
        }
        for _ in 0..zoom {
            pixels.extend_from_slice(&line);
        }
    }
    encode(&pixels, columns * zoom, rows * zoom, diverging)
}

/// The `i`-th of `n` parts of `0..length`, none of them empty.
fn part(i: usize, n: usize, length: usize) -> std::ops::Range<usize> {
    i * length / n..(i + 1) * length / n
}

/// Mean of the finite values of a block of cells; NaN where there are none.
fn block_mean(
    values: &[Vec<f64>],
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
) -> f64 {
    if rows.len() == 1 && columns.len() == 1 {
        return values[rows.start]
            .get(columns.start)
            .copied()
            .unwrap_or(f64::NAN);
    }
    let (mut sum, mut n) = (0.0, 0);
    for row in &values[rows] {
        let cells = row.iter().take(columns.end).skip(columns.start);
        for v in cells.filter(|v| v.is_finite()) {
            sum += v.clamp(-1e300, 1e300);
            n += 1;
        }
    }
    if n == 0 { f64::NAN } else { sum / f64::from(n) }
}

/// Palette index of a value: 0 for none, else 1 to 255.
fn shade(value: f64, low: f64, high: f64) -> u8 {
    if value.is_nan() {
        return 0;
    }
    let part = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
    1 + (part.clamp(0.0, 1.0) * 254.0).round() as u8
}

fn encode(pixels: &[u8], width: usize, height: usize, diverging: bool) -> Option<Vec<u8>> {
    let mut palette = rgb(MISSING).to_vec();
    palette.extend((0..255u8).flat_map(|i| color_at(f64::from(i) / 254.0, diverging)));
    let mut out = vec![];
    let mut encoder = png::Encoder::new(
        &mut out,
        u32::try_from(width).ok()?,
        u32::try_from(height).ok()?,
    );
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette);
    encoder.set_compression(png::Compression::High);
    // Of the filters, this one makes the copied rows of an enlarged matrix vanish.
    encoder.set_filter(png::Filter::Up);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(pixels).ok()?;
    writer.finish().ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_run_from_the_lowest_to_the_highest_and_around_zero_where_diverging() {
        let values = vec![vec![-1.0, f64::NAN], vec![3.0, f64::INFINITY]];
        assert_eq!(color_limits(&values, None, false), (-1.0, 3.0));
        assert_eq!(color_limits(&values, None, true), (-3.0, 3.0));
        assert_eq!(color_limits(&values, Some((0.0, 1.0)), true), (0.0, 1.0));
        assert_eq!(color_limits(&[], None, false), (0.0, 1.0));
        assert_eq!(
            (
                shade(-1.0, -1.0, 3.0),
                shade(3.0, -1.0, 3.0),
                shade(f64::NAN, 0.0, 1.0)
            ),
            (1, 255, 0)
        );
    }

    #[test]
    fn large_matrices_are_averaged_and_stay_small() {
        let values: Vec<Vec<f64>> = (0..3000)
            .map(|r| {
                (0..5000)
                    .map(|c| f64::from((r * 7919 + c * 104_729) % 997))
                    .collect()
            })
            .collect();
        let bytes = image(&values, (0.0, 1000.0), false, false, false).expect("cells");
        let info = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .expect("a PNG");
        assert_eq!((info.info().width, info.info().height), (2000, 1200));
        assert_eq!(
            block_mean(&[vec![1.0, f64::NAN], vec![3.0, 5.0]], 0..2, 0..2),
            3.0
        );
    }
}
