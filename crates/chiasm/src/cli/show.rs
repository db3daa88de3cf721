//! `chiasm show`: one study, in full.

use chiasm_core::Failure;
use chiasm_lab::settings::{Setting, describe};
use chiasm_lab::{Entry, Preset};
use serde_json::Value;

use super::args::ShowArgs;
use super::json::{SettingsJson, ShowJson};
use super::{Context, Exit, text};

pub(super) fn show(args: &ShowArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    match (&args.schema, &args.study) {
        (Some(kind), _) => context.output.json(&kind.schema()),
        (None, Some(study)) => {
            let json = about(context.catalogue.entry(study)?);
            context.output.result(&json, || as_text(&json));
        }
        // clap asks for one of them.
        (None, None) => {}
    }
    Ok(Exit::Done)
}

fn about(entry: &Entry) -> ShowJson {
    let settings = |schema: Value, quick: Value, paper: Value| SettingsJson {
        each: describe(&schema, &quick, &paper),
        schema,
        quick,
        paper,
    };
    let study = entry.study();
    let fit = entry.fit();
    ShowJson {
        format: chiasm_lab::run::FORMAT,
        kind: "show",
        study: entry.info().into(),
        paper: entry.info().into(),
        settings: settings(
            study.schema(),
            study.preset(Preset::Quick),
            study.preset(Preset::Paper),
        ),
        claims: study.claims(),
        no_data_because: fit.as_ref().err().map(|reason| (*reason).into()),
        fit: fit
            .ok()
            .map(|f| settings(f.schema(), f.preset(Preset::Quick), f.preset(Preset::Paper))),
    }
}

fn as_text(show: &ShowJson) -> String {
    let (study, paper) = (&show.study, &show.paper);
    let mut parts = vec![
        format!("{}: {}", study.name, study.title),
        text::paragraph(&study.summary, 0),
        format!(
            "Paper\n{}",
            text::paragraph(
                &format!(
                    "{}. {}. {}, {}. {}",
                    paper.authors, paper.title, paper.venue, paper.year, paper.link
                ),
                2
            )
        ),
        format!("Input\n{}", text::paragraph(&study.inputs, 2)),
        format!("Method\n  {}", study.home),
    ];
    if !show.claims.is_empty() {
        let claims = show.claims.iter().map(|c| {
            let paper = c
                .paper
                .map_or_else(String::new, |p| format!("; printed: {p}"));
            let text = format!(
                "{} ({}{paper}; holds if {} {})",
                c.statement, c.place, c.metric, c.bound
            );
            text::entry(c.id, &text, 6)
        });
        parts.push(format!("Claims\n{}", claims.collect::<Vec<_>>().join("\n")));
    }
    parts.push(format!(
        "Settings, for --set\n{}",
        settings_text(&show.settings.each)
    ));
    match (&show.fit, &show.no_data_because) {
        (Some(fit), _) => parts.push(format!(
            "Settings of the method on your own data: chiasm fit {} FILE\n{}",
            study.name,
            settings_text(&fit.each)
        )),
        (None, Some(reason)) => {
            parts.push(text::paragraph(
                &format!("Takes no data of your own: {reason}"),
                0,
            ));
        }
        (None, None) => {}
    }
    parts.join("\n\n")
}

fn settings_text(settings: &[Setting]) -> String {
    if settings.is_empty() {
        return "  none".into();
    }
    let each = settings.iter().map(|s| {
        let mut value = s.default.to_string();
        if let Some(paper) = &s.paper {
            value += &format!("; paper: {paper}");
        }
        let text = format!("{} [{}; default: {value}]", s.help, s.expects);
        text::entry(&s.key, text.trim_start(), 26)
    });
    each.collect::<Vec<_>>().join("\n")
}
