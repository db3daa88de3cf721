//! The figures of a report: drawn for the page, with their files to download.

use std::fmt::Write as _;
use std::io::Write as _;

use base64::Engine as _;

use super::Files;
use crate::draw::text::escape;
use crate::draw::{self, Theme};
use crate::figure::{Axis, Figure, Mark, Panel};
use crate::run::record::{FigureRecord, RunRecord};

/// Width of the drawing for phones.
const NARROW: f64 = 350.0;
/// Larger tables are packed.
const PLAIN_MOST: usize = 192 * 1024;
/// Browsers refuse longer addresses, so what is larger stays a file beside the report.
const ADDRESS_MOST: usize = 1_900_000;

/// All figures of the first seed, and the names of the others' files.
pub(super) fn section(record: &RunRecord, files: &Files) -> String {
    let first = record.seeds.first();
    let (shown, others): (Vec<_>, Vec<_>) =
        record.figures.iter().partition(|f| Some(&f.seed) == first);
    let mut html = String::new();
    for (i, figure) in shown.iter().enumerate() {
        html.push_str(&one(i + 1, figure, files));
    }
    if !others.is_empty() {
        html.push_str("<details><summary>Figures of the other seeds</summary><ul>\n");
        for figure in others {
            let _ = writeln!(
                html,
                "<li>Seed {}: <a href=\"{}\">{}</a></li>",
                figure.seed,
                escape(&figure.svg),
                escape(&figure.title)
            );
        }
        html.push_str("</ul></details>\n");
    }
    html
}

fn one(number: usize, record: &FigureRecord, files: &Files) -> String {
    let spec = files
        .read(&record.spec)
        .and_then(|bytes| serde_json::from_slice::<Figure>(&bytes).ok());
    let Some(figure) = spec else {
        return format!(
            "<figure><h3>Figure {number}. {}</h3><p class=\"quiet\">The file <code>{}</code> is missing or damaged.</p>\
             <figcaption>{}</figcaption></figure>\n",
            escape(&record.title),
            escape(&record.spec),
            escape(&record.caption)
        );
    };
    let links = downloads(&[
        ("Data", &record.data, "text/csv", files.read(&record.data)),
        ("SVG", &record.svg, "image/svg+xml", files.read(&record.svg)),
        ("PNG", &record.png, "image/png", files.read(&record.png)),
    ]);
    drawn(&format!("Figure {number}. "), &figure, &links)
}

/// A figure on the page: once for wide screens and paper, once for phones.
fn drawn(lead: &str, figure: &Figure, links: &str) -> String {
    format!(
        "<figure id=\"figure-{id}\"><h3>{lead}{title}</h3>\n<div class=\"plot wide\">{wide}</div>\n\
         <div class=\"plot narrow\">{narrow}</div>\n<figcaption>{caption}</figcaption>\n{links}</figure>\n",
        id = escape(&figure.id),
        title = escape(&figure.title),
        wide = draw::svg_at(figure, Theme::Page, draw::WIDTH),
        narrow = draw::svg_at(figure, Theme::Page, NARROW),
        caption = escape(&figure.caption),
    )
}

/// Links that save files out of the page itself; those too large for it point to the run folder.
pub(super) fn downloads(files: &[(&str, &str, &str, Option<Vec<u8>>)]) -> String {
    let mut links = String::new();
    for (label, path, kind, bytes) in files {
        if let Some(bytes) = bytes {
            let _ = write!(links, "<span>{}</span>", link(label, path, kind, bytes));
        }
    }
    if links.is_empty() {
        return links;
    }
    format!("<p class=\"downloads\"><span>Download</span>{links}</p>\n")
}

/// One link that saves a file.
pub(super) fn link(label: &str, path: &str, kind: &str, bytes: &[u8]) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit('.').next().unwrap_or("").to_uppercase();
    let label = if label.eq_ignore_ascii_case(&ending) {
        ending
    } else {
        format!("{label} ({ending})")
    };
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let whole = |name: &str, kind: &str, label: &str, data: &str| {
        format!(
            "<a download=\"{}\" href=\"data:{kind};base64,{data}\">{}</a>",
            escape(name),
            escape(label)
        )
    };
    if bytes.len() <= PLAIN_MOST || !kind.starts_with("text/") {
        let data = encode(bytes);
        if data.len() <= ADDRESS_MOST {
            return whole(name, kind, &label, &data);
        }
    } else if let Some(packed) = gzip(bytes) {
        let data = encode(&packed);
        if data.len() <= ADDRESS_MOST {
            let label = label.replace(')', ", gzip)");
            return whole(&format!("{name}.gz"), "application/gzip", &label, &data);
        }
    }
    format!(
        "<a href=\"{}\">{}, in the run folder</a>",
        escape(path),
        escape(&label)
    )
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
    packed.write_all(bytes).ok()?;
    packed.finish().ok()
}

/// The curves that were logged (a loss over steps), one panel each, one line for each seed.
pub(super) fn curves(record: &RunRecord) -> String {
    let named: Vec<_> = record
        .series
        .iter()
        .filter(|(_, s)| s.iter().any(|c| c.steps.len() > 1))
        .collect();
    if named.is_empty() {
        return String::new();
    }
    let columns = named.len().min(3);
    let mut figure = Figure::new(
        "curves",
        "Curves logged during the run",
        "Values by step, one line for each seed. The numbers are in metrics.parquet in the run folder.",
    )
    .columns(columns);
    for (name, seeds) in named.into_iter().take(24) {
        let mut panel = Panel::new(name, Axis::new("step", "1"), Axis::new("value", "1"));
        for curve in seeds {
            panel = panel.with(Mark::Line {
                series: if seeds.len() > 1 {
                    format!("seed {}", curve.seed)
                } else {
                    String::new()
                },
                x: curve.steps.clone(),
                y: curve.values.iter().map(|v| v.unwrap_or(f64::NAN)).collect(),
            });
        }
        figure = figure.with(panel);
    }
    let csv = draw::data_csv(&figure);
    let links = downloads(&[("Data", "curves.csv", "text/csv", Some(csv.into_bytes()))]);
    drawn("", &figure, &links)
}
