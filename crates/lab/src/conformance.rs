//! What every study keeps to, checked: registration means inspection.
//!
//! [`violations`] runs a study at its smallest settings, on one thread and on four, and lists what it finds. The
//! catalogue's own test calls it for every entry; a catalogue of your own can do the same.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chiasm_core::{Failure, Group};
use serde_json::Value;

use crate::bench::{Bench, Record};
use crate::claim::{Bound, ClaimSpec};
use crate::settings::{describe, set_from_toml, to_toml};
use crate::study::{Entry, Input, Preset};

/// Everything in which an entry breaks the rules, one sentence each; empty if nothing.
#[must_use]
pub fn violations(entry: &Entry) -> Vec<String> {
    let mut found = Found(Vec::new());
    found.texts(entry);
    let study = entry.study();
    let presets = [
        study.preset(Preset::Quick),
        study.preset(Preset::Paper),
        study.smoke(),
    ];
    found.settings("study", &study.schema(), &presets, &|c| study.check(c));
    match entry.fit() {
        Ok(fit) => {
            let presets = [fit.preset(Preset::Quick), fit.preset(Preset::Paper)];
            found.settings("fit", &fit.schema(), &presets, &|c| fit.check(c));
            found.fit_refuses_what_is_not_there(entry);
        }
        Err(reason) => found.unless(
            has_words(reason, 3),
            "the reason for taking no data says nothing",
        ),
    }
    found.claims(&study.claims());
    found.runs(entry);
    found.0
}

struct Found(Vec<String>);

impl Found {
    fn unless(&mut self, holds: bool, violation: impl Into<String>) {
        if !holds {
            self.0.push(violation.into());
        }
    }

    fn texts(&mut self, entry: &Entry) {
        let info = entry.info();
        self.unless(
            is_kebab(info.name),
            format!("name `{}`: expected kebab case", info.name),
        );
        for (what, text, words) in [
            ("title", info.title, 2),
            ("summary", info.summary, 10),
            ("home", info.home, 1),
            ("inputs", info.inputs, 2),
            ("paper's title", info.paper.title, 2),
            ("paper's authors", info.paper.authors, 1),
            ("paper's venue", info.paper.venue, 1),
            ("paper's link", info.paper.link, 1),
        ] {
            self.unless(
                has_words(text, words),
                format!("{what}: expected at least {words} words"),
            );
        }
    }

    fn settings(
        &mut self,
        whose: &str,
        schema: &Value,
        presets: &[Value],
        check: &dyn Fn(&Value) -> Result<Value, Failure>,
    ) {
        for config in presets {
            match check(config) {
                Ok(canonical) => self.unless(
                    canonical == *config,
                    format!("settings of the {whose}: a preset changes on its way through JSON"),
                ),
                Err(e) => self.unless(
                    false,
                    format!("settings of the {whose}: a preset is refused: {e}"),
                ),
            }
            // A round trip through the run folder's config.toml, laid over the defaults.
            let mut back = presets[0].clone();
            let trip = to_toml(config).map_err(Failure::from).and_then(|text| {
                Ok(set_from_toml(
                    schema,
                    &mut back,
                    &PathBuf::from("config.toml"),
                    &text,
                )?)
            });
            match trip {
                Ok(()) => self.unless(
                    without_nulls(&back, config) == *config,
                    format!("settings of the {whose}: a preset changes on its way through TOML"),
                ),
                Err(e) => self.unless(
                    false,
                    format!("settings of the {whose}: no way through TOML: {e}"),
                ),
            }
        }
        for setting in describe(schema, &presets[0], &presets[1]) {
            let key = &setting.key;
            self.unless(
                has_words(&setting.help, 2),
                format!("setting `{key}` of the {whose}: no doc comment to show"),
            );
        }
    }

    fn claims(&mut self, claims: &[ClaimSpec]) {
        self.unless(!claims.is_empty(), "no claims: nothing is tested");
        let mut ids = BTreeSet::new();
        for c in claims {
            self.unless(
                ids.insert(c.id),
                format!("claim `{}`: the id is used twice", c.id),
            );
            self.unless(
                is_kebab(c.id),
                format!("claim `{}`: expected kebab case", c.id),
            );
            self.unless(
                has_words(c.statement, 3),
                format!("claim `{}`: no statement", c.id),
            );
            self.unless(
                has_words(c.place, 1),
                format!("claim `{}`: does not cite its place", c.id),
            );
            self.unless(
                has_words(c.reason, 2),
                format!("claim `{}`: no reason for its bound", c.id),
            );
            let finite = match c.bound {
                Bound::AtLeast(v) | Bound::AtMost(v) => v.is_finite(),
                Bound::Within { value, tolerance } => value.is_finite() && tolerance >= 0.0,
            };
            self.unless(
                finite,
                format!("claim `{}`: a bound that decides nothing", c.id),
            );
        }
    }

    fn runs(&mut self, entry: &Entry) {
        let run = |threads: usize| -> Result<(Record, Vec<String>), String> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.map_err(|e| e.to_string())?;
            pool.install(|| {
                let mut bench = Bench::in_memory(7);
                let findings = entry.study().run(&entry.study().smoke(), &mut bench);
                let findings = findings.map_err(|e| e.to_string())?;
                Ok((bench.record, findings.summary))
            })
        };
        let (one, four) = match (run(1), run(4)) {
            (Ok(one), Ok(four)) => (one, four),
            (Err(e), _) | (_, Err(e)) => {
                return self.unless(false, format!("the smallest run fails: {e}"));
            }
        };
        // As text, since a curve or a figure may hold NaN, which equals nothing.
        self.unless(
            format!("{one:?}") == format!("{four:?}"),
            "the same seed gives other results on four threads than on one",
        );
        let (record, summary) = one;
        self.unless(
            summary.iter().any(|p| has_words(p, 3)),
            "no findings in words",
        );
        for metric in &record.metrics {
            self.unless(
                metric.value.is_finite(),
                format!("metric `{}` is not finite", metric.name),
            );
            self.unless(
                !metric.unit.is_empty(),
                format!("metric `{}` has no unit", metric.name),
            );
        }
        for c in entry.study().claims() {
            let measured = record.metrics.iter().any(|m| m.name == c.metric);
            self.unless(
                measured || record.excused.contains_key(c.id),
                format!(
                    "claim `{}`: metric `{}` is not recorded, nor is it said why",
                    c.id, c.metric
                ),
            );
        }
        self.unless(!record.figures.is_empty(), "no figure");
        for figure in &record.figures {
            let id = &figure.id;
            self.unless(
                has_words(&figure.caption, 3),
                format!("figure `{id}`: no caption"),
            );
            self.unless(
                !figure.panels.is_empty(),
                format!("figure `{id}`: no panel"),
            );
            for (name, axis) in figure
                .panels
                .iter()
                .flat_map(|p| [("x", &p.x), ("y", &p.y)])
            {
                self.unless(
                    !axis.unit.is_empty(),
                    format!("figure `{id}`: axis {name} has no unit"),
                );
                self.unless(
                    !axis.label.is_empty(),
                    format!("figure `{id}`: axis {name} has no label"),
                );
            }
        }
    }

    /// Data that is not there must be refused as bad input, by name, not met with a panic or a result.
    fn fit_refuses_what_is_not_there(&mut self, entry: &Entry) {
        let Ok(fit) = entry.fit() else { return };
        let absent = PathBuf::from("no-such-folder/no-such-file.npz");
        for paths in [vec![], vec![absent]] {
            let input = Input {
                paths: paths.clone(),
                ..Input::default()
            };
            let outcome = fit.fit(&fit.preset(Preset::Quick), &input, &mut Bench::in_memory(7));
            match outcome {
                Ok(_) => self.unless(false, format!("the fit finds something in {paths:?}")),
                Err(e) => {
                    self.unless(
                        e.group() == Group::Input,
                        format!("the fit blames the machine for {paths:?}: {e}"),
                    );
                    let named = paths
                        .iter()
                        .all(|p| e.to_string().contains(&p.display().to_string()));
                    self.unless(
                        named,
                        format!("the fit does not name the file it cannot read: {e}"),
                    );
                }
            }
        }
    }
}

/// `config` with those settings null that are so in `original`: TOML leaves them out.
fn without_nulls(config: &Value, original: &Value) -> Value {
    match (config, original) {
        (_, Value::Null) => Value::Null,
        (Value::Object(a), Value::Object(b)) => a
            .iter()
            .map(|(k, v)| {
                (
                    k.clone(),
                    without_nulls(v, b.get(k).unwrap_or(&Value::Bool(true))),
                )
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        _ => config.clone(),
    }
}

fn has_words(text: &str, n: usize) -> bool {
    text.split_whitespace().count() >= n
}

fn is_kebab(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.chars().all(allowed) && !name.starts_with('-') && !name.ends_with('-')
}
