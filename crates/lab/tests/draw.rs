//! Drawing, from outside: structure of the gallery's figures, no text over text, and no data that break it.

use std::sync::{Arc, LazyLock};

use chiasm_lab::draw::{DrawError, Theme, WIDTH, data_csv, png, svg, svg_at};
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};
use proptest::prelude::*;
use resvg::usvg;

#[path = "../examples/gallery/figures.rs"]
mod gallery;

static FONTS: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(notosans::REGULAR_TTF.to_vec());
    fonts.load_font_data(notosans::BOLD_TTF.to_vec());
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.set_sans_serif_family("Noto Sans");
    Arc::new(fonts)
});

fn parse(drawing: &str) -> usvg::Tree {
    let options = usvg::Options {
        fontdb: FONTS.clone(),
        ..usvg::Options::default()
    };
    usvg::Tree::from_str(drawing, &options).expect("valid SVG")
}

fn count(drawing: &str, what: &str) -> usize {
    drawing.matches(what).count()
}

/// No attribute that holds coordinates holds anything else.
fn assert_finite(drawing: &str) {
    for attribute in [
        " x=\"",
        " y=\"",
        " d=\"",
        " width=\"",
        " height=\"",
        " transform=\"",
    ] {
        for part in drawing.split(attribute).skip(1) {
            let value = part.split('"').next().unwrap_or_default();
            assert!(
                !value.contains("NaN") && !value.contains("inf"),
                "{attribute}{value}"
            );
        }
    }
}

/// Boxes of all text as rendered, except what is turned.
fn text_boxes(group: &usvg::Group, boxes: &mut Vec<(String, [f32; 4])>) {
    for node in group.children() {
        match node {
            usvg::Node::Group(g) => text_boxes(g, boxes),
            usvg::Node::Text(t) => {
                let words: String = t.chunks().iter().map(|c| c.text()).collect();
                let b = t.abs_bounding_box();
                // The box is as high as the line; letters fill its middle.
                let (mut left, mut top, mut right, mut bottom) =
                    (b.left(), b.top(), b.right(), b.bottom());
                if b.height() < b.width() {
                    let air = b.height() * 0.2;
                    (top, bottom) = (top + air, bottom - air);
                } else if words.chars().count() > 3 {
                    let air = b.width() * 0.2;
                    (left, right) = (left + air, right - air);
                }
                boxes.push((words, [left, top, right, bottom]));
            }
            _ => {}
        }
    }
}

#[test]
fn every_mark_is_there_and_nothing_is_drawn_twice() {
    for figure in gallery::all() {
        for theme in [Theme::Light, Theme::Dark, Theme::Page] {
            let drawing = svg(&figure, theme);
            parse(&drawing);
            assert_eq!(drawing, svg(&figure, theme), "{}: same bytes", figure.id);
            assert_eq!(
                count(&drawing, "<clipPath"),
                figure.panels.len(),
                "{}",
                figure.id
            );
            let matrices = figure.panels.iter().flat_map(|p| &p.marks);
            let matrices = matrices
                .filter(|m| matches!(m, Mark::Heatmap { .. }))
                .count();
            assert_eq!(count(&drawing, "<image"), matrices, "{}", figure.id);
            assert_eq!(
                count(&drawing, "light-dark("),
                if theme == Theme::Page { 30 } else { 0 }
            );
            assert!(
                drawing.len() < 300_000,
                "{}: {} bytes",
                figure.id,
                drawing.len()
            );
            assert_finite(&drawing);
        }
    }
}

/// The text of axes, legends and titles never overlaps and never leaves the picture, wide or narrow.
#[test]
fn text_never_touches_text_or_the_edge() {
    for figure in gallery::all() {
        for width in [350.0, WIDTH, 1000.0] {
            let tree = parse(&svg_at(&figure, Theme::Light, width));
            let mut boxes = vec![];
            text_boxes(tree.root(), &mut boxes);
            let (w, h) = (tree.size().width(), tree.size().height());
            for (i, (words, a)) in boxes.iter().enumerate() {
                let inside = a[0] >= -1.0 && a[1] >= -1.0 && a[2] <= w + 1.0 && a[3] <= h + 1.0;
                assert!(
                    inside,
                    "{} at {width}: `{words}` leaves the picture: {a:?} in {w} x {h}",
                    figure.id
                );
                for (other, b) in &boxes[i + 1..] {
                    // Slanted names have boxes that overlap where the names themselves do not.
                    let (dx, dy) = (
                        a[2].min(b[2]) - a[0].max(b[0]),
                        a[3].min(b[3]) - a[1].max(b[1]),
                    );
                    let slanted = figure.id == "affinities"
                        || figure.id == "matrices"
                        || figure.id == "comparison";
                    assert!(
                        dx < 0.6 || dy < 0.6 || slanted,
                        "{} at {width}: `{words}` {a:?} touches `{other}` {b:?}",
                        figure.id
                    );
                }
            }
        }
    }
}

#[test]
fn one_name_has_one_color_and_stands_in_one_legend() {
    let drawing = svg(&gallery::recovery(), Theme::Light);
    assert_eq!(count(&drawing, ">without mask</text>"), 1);
    let drawing = svg(&gallery::selection(), Theme::Light);
    assert_eq!(
        count(&drawing, ">held out</text>"),
        1,
        "band and line share an entry"
    );
}

#[test]
fn spans_named_like_series_have_their_colors() {
    let axis = || Axis::new("time", "s");
    let mut panels = [
        Panel::new("", axis(), axis()),
        Panel::new("", axis(), axis()),
    ];
    for i in 0..5 {
        let (series, start) = (format!("state {i}"), f64::from(i));
        let [above, below] = panels;
        panels = [
            above.with(Mark::Spans {
                series: series.clone(),
                spans: vec![(start, start + 1.0)],
            }),
            below.with(Mark::Line {
                series,
                x: vec![0.0, 5.0],
                y: vec![start, start],
            }),
        ];
    }
    let [above, below] = panels;
    let figure = Figure::new("states", "States", "").with(above).with(below);
    let drawing = svg(&figure, Theme::Light);
    // The first five colors of series, for spans and for their legend.
    for color in ["#0072b2", "#d55e00", "#009e73", "#b85a92", "#d98c00"] {
        let of_spans = count(&drawing, &format!("fill=\"{color}\""));
        assert_eq!(of_spans, 2, "{color}");
        assert!(
            count(&drawing, &format!("stroke=\"{color}\"")) >= 2,
            "{color}"
        );
    }
}

#[test]
fn png_has_the_same_pixels_each_time_and_the_size_asked_for() {
    let figure = gallery::selection();
    let bytes = png(&figure, 2.0).expect("renders");
    assert_eq!(bytes, png(&figure, 2.0).expect("renders"));
    let info = ::png::Decoder::new(std::io::Cursor::new(&bytes))
        .read_info()
        .expect("a PNG");
    assert_eq!(info.info().width, 1360);
    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e6] {
        assert!(
            matches!(png(&figure, scale), Err(DrawError::Scale { .. })),
            "{scale}"
        );
    }
}

#[test]
fn markup_in_names_stays_text() {
    let nasty = "<script>alert(\"a\")</script> & 'b' \u{0}";
    let figure = Figure::new(nasty, nasty, nasty).with(
        Panel::new(
            nasty,
            Axis::new(nasty, nasty),
            Axis::categories(nasty, vec![nasty.into(); 3]),
        )
        .with(Mark::Points {
            series: nasty.into(),
            x: vec![1.0, 2.0],
            y: vec![0.0, 1.0],
            labels: vec![nasty.into(); 2],
        })
        .with(Mark::HLine {
            series: nasty.into(),
            y: 1.0,
        }),
    );
    for theme in [Theme::Light, Theme::Page] {
        let drawing = svg(&figure, theme);
        parse(&drawing);
        assert!(!drawing.contains("<script"));
    }
}

/// Numbers that break careless plotting code.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -1e3..1e3f64,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![0.0, -0.0, 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e308, -1e308, 5e-324, 1e15]),
    ]
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        prop::collection::vec(value(), 0..30),
        value().prop_map(|v| vec![v; 5])
    ]
}

fn range() -> impl Strategy<Value = Option<(f64, f64)>> {
    prop::option::of((value(), value()))
}

fn mark() -> impl Strategy<Value = Mark> {
    let name = || prop::sample::select(vec![String::new(), "a".to_owned(), "b & <c>".to_owned()]);
    prop_oneof![
        (name(), values(), values()).prop_map(|(series, x, y)| Mark::Line { series, x, y }),
        (
            name(),
            values(),
            values(),
            prop::collection::vec(".{0,12}", 0..8)
        )
            .prop_map(|(series, x, y, labels)| Mark::Points {
                series,
                x,
                y,
                labels
            }),
        (name(), values(), values(), values()).prop_map(|(series, x, y, error)| Mark::Bars {
            series,
            x,
            y,
            error
        }),
        (name(), values(), values(), values()).prop_map(|(series, x, low, high)| Mark::Band {
            series,
            x,
            low,
            high
        }),
        (
            name(),
            prop::collection::vec(values(), 0..6),
            range(),
            range(),
            range(),
            any::<bool>()
        )
            .prop_map(
                |(series, values, x_range, y_range, color_range, diverging)| Mark::Heatmap {
                    series,
                    values,
                    x_range,
                    y_range,
                    color_range,
                    diverging
                }
            ),
        (name(), prop::collection::vec((value(), value()), 0..5))
            .prop_map(|(series, spans)| Mark::Spans { series, spans }),
        (name(), value()).prop_map(|(series, y)| Mark::HLine { series, y }),
        (name(), value()).prop_map(|(series, x)| Mark::VLine { series, x }),
        (name(), values(), values()).prop_map(|(series, x, y)| Mark::Ticks { series, x, y }),
    ]
}

fn axis() -> impl Strategy<Value = Axis> {
    (
        ".{0,30}",
        ".{0,4}",
        range(),
        prop::collection::vec(".{0,20}", 0..5),
        any::<bool>(),
    )
        .prop_map(|(label, unit, range, categories, log)| Axis {
            label,
            unit,
            range,
            categories,
            log,
        })
}

fn figure() -> impl Strategy<Value = Figure> {
    let panel = (
        ".{0,30}",
        axis(),
        axis(),
        prop::collection::vec(mark(), 0..4),
        value(),
    )
        .prop_map(|(title, x, y, marks, height)| Panel {
            title,
            x,
            y,
            marks,
            height,
        });
    (
        ".{0,9}",
        prop::collection::vec(panel, 0..5),
        0..5usize,
        any::<bool>(),
    )
        .prop_map(|(id, panels, columns, shared_x)| Figure {
            title: id.clone(),
            caption: id.clone(),
            id,
            panels,
            columns,
            shared_x,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever the data: valid SVG with finite coordinates, a table with one length of rows, no panic.
    #[test]
    fn any_figure_is_drawn(figure in figure(), width in prop_oneof![Just(WIDTH), value()]) {
        let drawing = svg_at(&figure, Theme::Page, width);
        parse(&drawing);
        assert_finite(&drawing);
        let table = data_csv(&figure);
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        for row in reader.records() {
            prop_assert!(row.is_ok());
        }
    }
}
