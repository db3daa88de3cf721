//! `chiasm compare`: two runs side by side.

use chiasm_core::Failure;
use chiasm_lab::compare::{Comparison, RunHead};
use chiasm_lab::run::read;

use super::args::CompareArgs;
use super::report::folder_of;
use super::{Context, Exit, text};

pub(super) fn compare(args: &CompareArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    let (a, b) = (folder_of(&args.first)?, folder_of(&args.second)?);
    let comparison = Comparison::of((&a, &read(&a)?), (&b, &read(&b)?));
    context.output.result(&comparison, || as_text(&comparison));
    Ok(Exit::Done)
}

fn as_text(c: &Comparison) -> String {
    let mut parts = vec![head("A", &c.a), head("B", &c.b)];
    if !c.settings.is_empty() {
        let mut table = text::table(&["setting", "A", "B"]);
        for s in &c.settings {
            let value =
                |v: &Option<serde_json::Value>| v.as_ref().map_or("-".into(), ToString::to_string);
            table.add_row(vec![s.key.clone(), value(&s.a), value(&s.b)]);
        }
        parts.push(format!("\n{table}"));
    }
    if !c.claims.is_empty() {
        let mut table = text::table(&["claim", "bound", "A", "B"]);
        for claim in &c.claims {
            let side = |s: &Option<chiasm_lab::compare::ClaimSide>| match s {
                None => "-".into(),
                Some(s) => {
                    let measured = s.measured.map_or("-".into(), text::number);
                    let verdict = match s.verdict {
                        chiasm_lab::run::record::VerdictRecord::Holds => "holds",
                        chiasm_lab::run::record::VerdictRecord::Fails => "FAILS",
                        chiasm_lab::run::record::VerdictRecord::NotAtThisScale => "not tested",
                    };
                    format!("{measured} {verdict}")
                }
            };
            table.add_row(vec![
                claim.statement.clone(),
                claim.bound.to_string(),
                side(&claim.a),
                side(&claim.b),
            ]);
        }
        parts.push(format!("\n{table}"));
    }
    if !c.metrics.is_empty() {
        let mut table = text::table(&["metric", "unit", "A", "B", "B - A"]);
        for m in &c.metrics {
            let value = |v: Option<f64>| v.map_or("-".into(), text::number);
            table.add_row(vec![
                m.name.clone(),
                m.unit.clone(),
                value(m.a),
                value(m.b),
                value(m.difference),
            ]);
        }
        parts.push(format!("\n{table}"));
    }
    parts.join("\n")
}

fn head(name: &str, run: &RunHead) -> String {
    let seeds: Vec<String> = run.seeds.iter().map(ToString::to_string).collect();
    format!(
        "{name}  {}\n   {}, seeds {}, chiasm {}",
        run.folder,
        run.study,
        seeds.join(" "),
        run.version
    )
}
