//! Draws figures in the house style: SVG for pages and papers, PNG for everything else, CSV for the data.
//!
//! - [`svg`] and [`svg_at`] write SVG text, light, dark, or following the page it stands on ([`Theme`]);
//! - [`png()`] renders it with bundled fonts, so that it has the same pixels on a machine without any;
//! - [`data_csv`] writes what is shown as one long table.
//!
//! The style: thin axes at the left and below only, ticks outside, text of 7 to 9 pt at 180 mm, legends above the axes
//! and never over data, colors that colour-blind readers tell apart (plus dashes and shapes), a perceptually uniform
//! color map, names shortened or thinned rather than overlapping. The same figure gives the same bytes everywhere.
//!
//! SVG is written directly: a plotting library bakes its colors into the drawing, where ours must follow the page, and
//! guesses at text widths, which here are measured in the bundled font.

mod axes;
mod extent;
mod heatmap;
mod layout;
mod legend;
mod marks;
mod names;
mod palette;
mod pen;
mod scale;
mod table;
pub(crate) mod text;

use chiasm_core::{Diagnose, Group};
use resvg::{tiny_skia, usvg};

use crate::figure::Figure;

pub use table::data_csv;

/// The width of a figure: 180 mm on paper, two columns of a journal, at 96 dots per inch.
pub const WIDTH: f64 = 680.0;

/// The surroundings that a figure is drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// On white paper: for files, print and other programs.
    #[default]
    Light,
    /// On dark paper.
    Dark,
    /// Without paper, for the inside of an HTML page: colors follow the page's `color-scheme`, light or dark. Readers
    /// that know nothing of that show the light colors.
    Page,
}

/// Why a figure could not be rendered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError {
    /// The picture would have no pixels, or more than memory is lent for.
    #[error("figure `{id}`: expected a scale that gives 1 to 16384 pixels a side, found {scale}")]
    Scale {
        /// The figure.
        id: String,
        /// The scale asked for.
        scale: f64,
    },
    /// The renderer refused the drawing, which is a fault of ours.
    #[error("figure `{id}`: the drawing cannot be rendered ({reason})")]
    Render {
        /// The figure.
        id: String,
        /// What the renderer said.
        reason: String,
    },
}

impl Diagnose for DrawError {
    fn group(&self) -> Group {
        match self {
            Self::Scale { .. } => Group::Input,
            Self::Render { .. } => Group::Numerical,
        }
    }
}

/// The figure as an SVG document of the usual [`WIDTH`]. Never fails: what cannot be shown (NaN, infinite values, an
/// empty panel) is left out, and a panel without anything says so.
#[must_use]
pub fn svg(figure: &Figure, theme: Theme) -> String {
    svg_at(figure, theme, WIDTH)
}

/// The figure as an SVG document of this width in CSS pixels; below 480, panels stand in one column.
#[must_use]
pub fn svg_at(figure: &Figure, theme: Theme, width: f64) -> String {
    let width = if width.is_finite() {
        width.clamp(200.0, 4000.0)
    } else {
        WIDTH
    };
    let names = names::Names::of(figure);
    let page = layout::place(figure, &names, width);
    let prefix = format!("{}-{}", text::slug(&figure.id), width.round());
    let mut pen = pen::Pen::new(theme, prefix);
    legend::draw_head(&mut pen, &page.head);
    for plot in &page.plots {
        marks::draw(&mut pen, plot, &names);
        axes::draw(&mut pen, plot);
        axes::color_bar(&mut pen, plot);
        legend::draw(&mut pen, plot);
    }
    pen.finish(page.width, page.height, &figure.title, &figure.caption)
}

/// A number for readers: `digits` significant ones, a true minus sign, and a power of ten where it is very large or small.
#[must_use]
pub fn number(value: f64, digits: usize) -> String {
    scale::significant(value, digits)
}

/// The figure as a PNG on white paper, `scale` pixels to a CSS pixel (3 gives 288 dots per inch at 180 mm).
///
/// # Errors
/// [`DrawError::Scale`] where that makes no pixels or too many.
pub fn png(figure: &Figure, scale: f64) -> Result<Vec<u8>, DrawError> {
    let refused = |reason: String| DrawError::Render {
        id: figure.id.clone(),
        reason,
    };
    let options = usvg::Options {
        font_family: "Noto Sans".into(),
        fontdb: text::FONTS.clone(),
        ..usvg::Options::default()
    };
    let drawing = svg(figure, Theme::Light);
    let tree = usvg::Tree::from_str(&drawing, &options).map_err(|e| refused(e.to_string()))?;
    let side = |length: f32| {
        let pixels = (f64::from(length) * scale).round();
        (1.0..=16_384.0).contains(&pixels).then_some(pixels as u32)
    };
    let size = side(tree.size().width()).zip(side(tree.size().height()));
    let out_of_range = || DrawError::Scale {
        id: figure.id.clone(),
        scale,
    };
    let (width, height) = size.ok_or_else(out_of_range)?;
    let mut pixmap = tiny_skia::Pixmap::new(width, height).ok_or_else(out_of_range)?;
    let zoom = tiny_skia::Transform::from_scale(scale as f32, scale as f32);
    resvg::render(&tree, zoom, &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|e| refused(e.to_string()))
}
