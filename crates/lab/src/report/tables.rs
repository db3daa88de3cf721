//! The tables of a report: claims, metrics, settings, and those that the study left.

use std::fmt::Write as _;

use crate::claim::{Bound, ClaimKind};
use crate::draw::number;
use crate::draw::text::escape;
use crate::run::record::{ClaimRecord, MetricRecord, RunRecord, TableRecord, VerdictRecord};

/// Most rows of a table shown on the page; the rest is in its file.
const MOST_ROWS: usize = 60;

/// The class and the words of a verdict.
pub(super) fn verdict(verdict: VerdictRecord) -> (&'static str, &'static str) {
    match verdict {
        VerdictRecord::Holds => ("holds", "holds"),
        VerdictRecord::Fails => ("fails", "fails"),
        VerdictRecord::NotAtThisScale => ("untested", "not at this scale"),
    }
}

/// The claims beside what was measured.
pub(super) fn claims(record: &RunRecord) -> String {
    let mut rows = String::new();
    for claim in &record.claims {
        rows.push_str(&claim_row(claim, record));
    }
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Claims\">\
         <table class=\"claims\"><caption>What the paper says, what was measured here{}, and whether it holds. \
         The verdict is on the mean over seeds.</caption>\
         <thead><tr><th scope=\"col\">Claim</th><th scope=\"col\">Paper</th><th scope=\"col\">Measured</th>\
         <th scope=\"col\">Bound</th><th scope=\"col\">Verdict</th></tr></thead>\n<tbody>{rows}</tbody></table></div>\n",
        match record.seeds.len() {
            1 => String::new(),
            n => format!(" over {n} seeds (mean ± standard deviation)"),
        }
    )
}

fn claim_row(claim: &ClaimRecord, record: &RunRecord) -> String {
    let unit = record
        .metrics
        .get(&claim.metric)
        .map_or("1", |m| m.unit.as_str());
    let measured = match claim.measured {
        Some(mean) => {
            let mut text = format!(
                "<span class=\"value\">{}</span>",
                escape(&with_unit(&spread(mean, claim.spread), unit))
            );
            if claim.values.len() > 1 {
                let _ = write!(
                    text,
                    "<span class=\"small\">holds on {} of {} seeds</span>",
                    claim.seeds_holding,
                    claim.values.len()
                );
            }
            text
        }
        None => "<span class=\"quiet\">not measured</span>".into(),
    };
    let kind = match claim.kind {
        ClaimKind::Exact => "the very number",
        ClaimKind::Scaled => "at a smaller scale",
        ClaimKind::Qualitative => "direction of the effect",
    };
    let (class, words) = verdict(claim.verdict);
    let why = claim.why.as_deref().map_or(String::new(), |why| {
        format!("<span class=\"small\">{}</span>", escape(why))
    });
    format!(
        "<tr id=\"claim-{id}\"><th scope=\"row\" class=\"statement\">{statement}\
         <span class=\"small\">{place} · {kind}</span></th>\
         <td data-label=\"Paper\"><span>{paper}</span></td>\
         <td data-label=\"Measured\"><span>{measured}</span></td>\
         <td data-label=\"Bound\"><span>{bound}<span class=\"small\">{reason}</span></span></td>\
         <td data-label=\"Verdict\"><span><span class=\"verdict {class}\">{words}</span>{why}</span></td></tr>\n",
        id = escape(&claim.id),
        statement = escape(&claim.statement),
        place = escape(&claim.place),
        paper = claim.paper.as_deref().map_or(
            "<span class=\"quiet\">no figure given</span>".into(),
            escape
        ),
        bound = bound(&claim.bound),
        reason = escape(&claim.reason),
    )
}

fn bound(bound: &Bound) -> String {
    match *bound {
        Bound::AtLeast(v) => format!("≥ {}", number(v, 6)),
        Bound::AtMost(v) => format!("≤ {}", number(v, 6)),
        Bound::Within { value, tolerance } => {
            format!("{} ± {}", number(value, 6), number(tolerance, 6))
        }
    }
}

/// A mean with its spread, with as many digits as the spread makes meaningful.
fn spread(mean: f64, spread: Option<f64>) -> String {
    match spread {
        Some(spread) => format!("{} ± {}", number(mean, 4), number(spread, 2)),
        None => number(mean, 4),
    }
}

fn with_unit(text: &str, unit: &str) -> String {
    match unit {
        "1" | "" => text.to_owned(),
        unit => format!("{text} {unit}"),
    }
}

/// All metrics, each with its values on the seeds.
pub(super) fn metrics(record: &RunRecord) -> String {
    let several = record.seeds.len() > 1;
    let mut rows = String::new();
    for (name, metric) in &record.metrics {
        let values = if several {
            format!("<td class=\"num\">{}</td>", escape(&seed_values(metric)))
        } else {
            String::new()
        };
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\"><code>{}</code></th><td class=\"num\">{}</td><td>{}</td>{values}</tr>",
            escape(name),
            escape(&spread(metric.mean, metric.spread)),
            escape(if metric.unit == "1" {
                "–"
            } else {
                &metric.unit
            }),
        );
    }
    let seeds: Vec<String> = record.seeds.iter().map(u64::to_string).collect();
    let (mean, head) = if several {
        (
            "Mean ± s.d.",
            format!(
                "<th scope=\"col\" class=\"num\">On seeds {}</th>",
                seeds.join(", ")
            ),
        )
    } else {
        ("Value", String::new())
    };
    scrolling(
        "Metrics",
        &format!(
            "<table><caption>All scalar results.</caption><thead><tr><th scope=\"col\">Metric</th>\
             <th scope=\"col\" class=\"num\">{mean}</th><th scope=\"col\">Unit</th>{head}</tr></thead>\n\
             <tbody>{rows}</tbody></table>"
        ),
    )
}

fn seed_values(metric: &MetricRecord) -> String {
    let values = metric.values.iter();
    let written: Vec<String> = values
        .map(|v| v.map_or("–".into(), |v| number(v, 4)))
        .collect();
    written.join("  ")
}

/// The settings as `--set` takes them.
pub(super) fn settings(config: &serde_json::Value) -> String {
    let mut rows = String::new();
    flatten("", config, &mut |key, value| {
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\"><code>{}</code></th><td><code>{}</code></td></tr>",
            escape(key),
            escape(value)
        );
    });
    if rows.is_empty() {
        return "<p class=\"quiet\">This study has no settings.</p>\n".into();
    }
    scrolling(
        "Settings",
        &format!(
            "<table><caption>Every setting of the run, as <code>--set</code> takes it.</caption><thead><tr>\
             <th scope=\"col\">Setting</th><th scope=\"col\">Value</th></tr></thead>\n<tbody>{rows}</tbody></table>"
        ),
    )
}

/// Each setting with its dotted path.
fn flatten(path: &str, value: &serde_json::Value, leaf: &mut impl FnMut(&str, &str)) {
    match value {
        serde_json::Value::Object(fields) if !fields.is_empty() => {
            for (name, inner) in fields {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                flatten(&path, inner, leaf);
            }
        }
        serde_json::Value::String(text) => leaf(path, text),
        // Settings that are left out have no value to write.
        serde_json::Value::Null => leaf(path, "–"),
        serde_json::Value::Object(_) => {}
        other => leaf(path, &other.to_string()),
    }
}

/// A table that the study left, from its CSV file.
pub(super) fn left(table: &TableRecord, csv: &[u8], download: &str) -> String {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv);
    let records: Vec<csv::StringRecord> = reader.records().take(MOST_ROWS).flatten().collect();
    // A column is numeric where all that is written in it reads as a number.
    let numeric: Vec<bool> = (0..table.columns.len())
        .map(|c| {
            let cells = || {
                records
                    .iter()
                    .filter_map(|r| r.get(c))
                    .filter(|v| !v.is_empty())
            };
            cells().next().is_some()
                && cells().all(|v| v.trim().replace('−', "-").parse::<f64>().is_ok())
        })
        .collect();
    let class = |c: usize| {
        if numeric.get(c) == Some(&true) {
            " class=\"num\""
        } else {
            ""
        }
    };
    let head: String = table
        .columns
        .iter()
        .enumerate()
        .map(|(c, name)| format!("<th scope=\"col\"{}>{}</th>", class(c), escape(name)))
        .collect();
    let mut rows = String::new();
    for record in &records {
        rows.push_str("<tr>");
        for (c, cell) in record.iter().enumerate() {
            let _ = write!(
                rows,
                "<td{}>{}</td>",
                class(c),
                escape(&shown(cell, numeric.get(c) == Some(&true)))
            );
        }
        rows.push_str("</tr>\n");
    }
    let more = if table.n_rows > records.len() {
        format!(
            "<p class=\"quiet\">The first {} of {} rows.</p>\n",
            records.len(),
            table.n_rows
        )
    } else {
        String::new()
    };
    let body = format!(
        "<table><caption><b>{}</b></caption><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>",
        escape(&table.title)
    );
    format!(
        "{}{more}<p class=\"downloads\">{download}</p>\n",
        scrolling(&table.title, &body)
    )
}

/// A cell as shown: long fractions are for the file, not for the eye.
fn shown(cell: &str, numeric: bool) -> String {
    match cell.parse::<f64>() {
        Ok(v) if numeric && cell.contains('.') && cell.len() > 7 => number(v, 4),
        _ => cell.to_owned(),
    }
}

/// A table in a box of its own, so that a wide one scrolls and the page does not.
fn scrolling(name: &str, table: &str) -> String {
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">{table}</div>\n",
        escape(name)
    )
}
