//! A run's result for people: what was found, the claims beside what was measured, where the files are.

use chiasm_lab::RunRecord;
use chiasm_lab::run::record::{ClaimRecord, VerdictRecord};

use super::text;

/// The end of `chiasm run`, readable at 80 columns.
pub(super) fn result(record: &RunRecord, folder: &str, report: &str) -> String {
    let mut parts = Vec::new();
    parts.extend(record.summary.iter().map(|p| text::paragraph(p, 0)));
    if !record.claims.is_empty() {
        parts.push(claims_table(record));
    }
    if record.claims.is_empty() && !record.metrics.is_empty() {
        parts.push(metrics_table(record));
    }
    for note in &record.notes {
        let seed = note
            .seed
            .map_or_else(String::new, |s| format!(" (seed {s})"));
        parts.push(text::paragraph(&format!("Note{seed}: {}", note.text), 0));
    }
    for repair in &record.repairs {
        parts.push(text::paragraph(&format!("Input: {}", repair.what), 0));
    }
    let mut facts = format!(
        "{}, {}",
        match record.seeds.len() {
            1 => format!("seed {}", record.seeds[0]),
            n => format!("{n} seeds"),
        },
        text::duration(record.wall_s),
    );
    if let Some(bytes) = record.peak_memory_bytes {
        facts += &format!(", {:.0} MiB at most", bytes as f64 / (1024.0 * 1024.0));
    }
    parts.push(format!("{facts}\nRun     {folder}\nReport  {report}"));
    parts.join("\n\n")
}

fn claims_table(record: &RunRecord) -> String {
    let mut table = text::table(&["claim", "paper", "bound", "measured", "verdict"]);
    for claim in &record.claims {
        table.add_row(vec![
            claim.statement.clone(),
            claim.paper.clone().unwrap_or_else(|| "-".into()),
            claim.bound.to_string(),
            measured(claim),
            verdict(claim).into(),
        ]);
    }
    let (holds, fails, untested) = record.tally();
    let mut text = format!("{table}\n{holds} of {} claims hold", record.claims.len());
    if fails > 0 {
        text += &format!(", {fails} fail");
    }
    if untested > 0 {
        text += &format!(", {untested} not tested at this scale");
    }
    for claim in record.claims.iter().filter(|c| c.why.is_some()) {
        let why = claim.why.as_deref().unwrap_or_default();
        text += &format!("\n{}", text::paragraph(&format!("{}: {why}", claim.id), 2));
    }
    text
}

/// Mean and spread over seeds.
pub(super) fn measured(claim: &ClaimRecord) -> String {
    match (claim.measured, claim.spread) {
        (None, _) => "-".into(),
        (Some(m), None) => text::number(m),
        (Some(m), Some(s)) => format!("{} ± {}", text::number(m), text::number(s)),
    }
}

/// The verdict in a word or two.
pub(super) fn verdict(claim: &ClaimRecord) -> &'static str {
    match claim.verdict {
        VerdictRecord::Holds => "holds",
        VerdictRecord::Fails => "FAILS",
        VerdictRecord::NotAtThisScale => "not tested",
    }
}

fn metrics_table(record: &RunRecord) -> String {
    let mut table = text::table(&["metric", "value", "unit"]);
    for (name, metric) in &record.metrics {
        let mut value = text::number(metric.mean);
        if let Some(spread) = metric.spread {
            value += &format!(" ± {}", text::number(spread));
        }
        table.add_row(vec![name.clone(), value, metric.unit.clone()]);
    }
    table.to_string()
}
