//! The method on own data: which units form which communities when, and what behaviour they follow.

use std::path::Path;

use chiasm_analysis::connectome::affinity::ClockTraces;
use chiasm_analysis::connectome::affinity::{on_clock, tensor_of};
use chiasm_analysis::connectome::behavior::{Behavior, Bouts};
use chiasm_analysis::connectome::communities::{Connectome, ConnectomeError, DynamicConnectome};
use chiasm_analysis::connectome::factorization::Factorization;
use chiasm_analysis::permutation::{ShiftTest, shift_units};
use chiasm_core::{Failure, Streams};
use chiasm_data::{Activity, Draft, Missing, Recording, Traces, Unit};
use chiasm_lab::{Bench, Findings, Input};
use ndarray::Array2;

use super::config::FitConfig;
use super::fit_figures;

/// What is known of one animal.
pub(super) struct Animal {
    pub recording: Recording,
    /// Its name in the report.
    pub name: String,
    pub bouts: Bouts,
    /// The frames on its own clock, s.
    pub times_s: Vec<f64>,
    /// Channels that vary, by name.
    pub channels: Vec<String>,
    /// Traces on the common clock, for the figure.
    pub traces: ClockTraces,
    /// Components against bouts and onsets; `None` without bouts.
    pub bout_test: Option<ShiftTest>,
    /// Components against channels; `None` without channels.
    pub channel_test: Option<ShiftTest>,
    /// For each surrogate, the least corrected p of the same analysis.
    pub surrogate_p: Vec<f64>,
}

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    let recordings = input.recordings(bench)?;
    let streams = bench.streams().clone();
    let connectome = config
        .connectome
        .fit(&recordings, &streams, bench.watch())
        .map_err(|e| {
            let file = match &e {
                ConnectomeError::Affinity { animal, .. } => input.paths.get(*animal),
                _ => input.paths.first().filter(|_| input.paths.len() == 1),
            };
            let file = file.map(|f| f.display().to_string());
            let failure = Failure::from(e);
            match file {
                Some(file) => failure.about(file),
                None => failure,
            }
        })?;
    let mut animals = Vec::new();
    for (a, recording) in recordings.into_iter().enumerate() {
        animals.push(compare_with_behavior(
            config,
            &connectome,
            a,
            recording,
            bench,
        )?);
    }
    for (a, animal) in animals.iter_mut().enumerate() {
        animal.surrogate_p = surrogates(config, connectome.factors.rank(), animal, a, bench)?;
    }
    record(&connectome, &animals, bench)?;
    fit_figures::all(&connectome, &animals, bench)?;
    leave_recordings(&connectome, &animals, bench)?;
    Ok(summary(config, &connectome, &animals))
}

fn compare_with_behavior(
    config: &FitConfig,
    connectome: &Connectome,
    a: usize,
    recording: Recording,
    bench: &mut Bench,
) -> Result<Animal, Failure> {
    let behavior = &config.behavior;
    let times_s = connectome.joined.times_of(a);
    let series = time_courses(connectome);
    let streams = bench.streams().child("behavior");
    let bouts = within(behavior.bouts_of(&recording), &times_s);
    let channels: Vec<String> = recording
        .covariates()
        .iter()
        .filter(|c| varies(&c.at(&times_s)))
        .map(|c| c.name.clone())
        .collect();
    let long_enough =
        times_s.len() as f64 * connectome.joined.clock_s() >= 3.0 * behavior.shifts.min_shift_s;
    if !long_enough {
        bench.note("the recording is too short for tests against time shifts: they are left out");
    }
    let bout_test = if long_enough && !bouts.0.is_empty() {
        let mut rng = streams.indexed("bouts", a);
        Some(behavior.follows_bouts(&times_s, &series, &bouts, &mut rng)?)
    } else {
        None
    };
    let channel_test = if long_enough && !channels.is_empty() {
        let names: Vec<&str> = channels.iter().map(String::as_str).collect();
        let mut rng = streams.indexed("channels", a);
        Some(behavior.follows_channels(&times_s, &series, &recording, &names, &mut rng)?)
    } else {
        None
    };
    let traces = on_clock(&config.connectome.affinity, &recording)?;
    let session = recording.session();
    let name = [&session.id, &session.subject, &session.source]
        .into_iter()
        .find(|s| !s.is_empty())
        .map_or_else(|| format!("animal {}", a + 1), |s| short(s));
    Ok(Animal {
        recording,
        name,
        bouts,
        times_s,
        channels,
        traces,
        bout_test,
        channel_test,
        surrogate_p: vec![],
    })
}

/// A file's own name, where a session is known by its path.
fn short(name: &str) -> String {
    Path::new(name)
        .file_stem()
        .map_or_else(|| name.to_owned(), |s| s.to_string_lossy().into_owned())
}

fn time_courses(connectome: &Connectome) -> Vec<Vec<f64>> {
    connectome
        .factors
        .time
        .columns()
        .into_iter()
        .map(|c| c.to_vec())
        .collect()
}

fn within(bouts: Bouts, times_s: &[f64]) -> Bouts {
    let (first, last) = (times_s[0], times_s[times_s.len() - 1]);
    Bouts(
        bouts
            .0
            .into_iter()
            .filter(|b| b.1 >= first && b.0 <= last)
            .collect(),
    )
}

fn varies(x: &[f64]) -> bool {
    let mut seen = x.iter().filter(|v| v.is_finite());
    seen.next().is_some_and(|first| seen.any(|v| v != first))
}

/// The analysis again on units shifted in time independently, with as many components: of each, the least corrected p.
fn surrogates(
    config: &FitConfig,
    rank: usize,
    animal: &Animal,
    a: usize,
    bench: &Bench,
) -> Result<Vec<f64>, Failure> {
    if animal.bout_test.is_none() {
        return Ok(vec![]);
    }
    let method = &config.connectome;
    // As many tests as on the data; their number is not chosen anew.
    let method = DynamicConnectome {
        choose_rank: false,
        factorization: Factorization {
            rank,
            ..method.factorization.clone()
        },
        ..method.clone()
    };
    (0..config.surrogates)
        .map(|k| {
            let streams = bench
                .streams()
                .child(&format!("surrogate {k} of animal {a}"));
            let shifted = shift_units(&animal.recording, &mut streams.stream("shift"))?;
            least_p(&method, &config.behavior, &shifted, animal, &streams, bench)
        })
        .collect()
}

fn least_p(
    method: &DynamicConnectome,
    behavior: &Behavior,
    shifted: &Recording,
    animal: &Animal,
    streams: &Streams,
    bench: &Bench,
) -> Result<f64, Failure> {
    let joined = tensor_of(&method.affinities(std::slice::from_ref(shifted), bench.watch())?)?;
    let (factors, _) = method.components(&joined, streams, bench.watch())?;
    let series: Vec<Vec<f64>> = factors
        .time
        .columns()
        .into_iter()
        .map(|c| c.to_vec())
        .collect();
    let times_s = joined.times_of(0);
    let mut rng = streams.stream("test");
    Ok(behavior
        .follows_bouts(&times_s, &series, &animal.bouts, &mut rng)?
        .least_p())
}

fn record(connectome: &Connectome, animals: &[Animal], bench: &mut Bench) -> Result<(), Failure> {
    bench.metric("components", connectome.factors.rank() as f64, "1")?;
    bench.metric("relative_error", connectome.factors.relative_error(), "1")?;
    bench.metric("units", connectome.joined.names.len() as f64, "1")?;
    bench.metric("frames", connectome.joined.time.len() as f64, "1")?;
    if let Some(choice) = &connectome.choice {
        bench.metric("restart_similarity", choice.fitted.stability(), "1")?;
        for point in &choice.curve {
            bench.log("relative_error", point.rank as f64, point.error);
            bench.log("restart_similarity", point.rank as f64, point.stability);
        }
    }
    for (c, found) in connectome.communities.iter().enumerate() {
        bench.metric(
            &format!("communities/component_{}", c + 1),
            found.blocks.n_blocks() as f64,
            "1",
        )?;
    }
    for (a, animal) in animals.iter().enumerate() {
        let of = |name: &str| {
            if animals.len() == 1 {
                name.to_string()
            } else {
                format!("{name}/animal_{}", a + 1)
            }
        };
        if let Some(test) = &animal.bout_test {
            bench.metric(&of("bouts"), animal.bouts.0.len() as f64, "1")?;
            bench.metric(&of("bouts_least_family_p"), test.least_p(), "1")?;
            if let Some(least) = animal.surrogate_p.iter().copied().reduce(f64::min) {
                bench.metric(&of("surrogates_least_family_p"), least, "1")?;
            }
        }
        if let Some(test) = &animal.channel_test {
            bench.metric(&of("channels_least_family_p"), test.least_p(), "1")?;
        }
    }
    for (animal, dropped) in animals.iter().zip(&connectome.dropped) {
        if !dropped.is_empty() {
            bench.note(format!(
                "{}: constant units left out: {}",
                animal.name,
                dropped.join(", ")
            ));
        }
    }
    if !connectome.joined.unseen.is_empty() {
        bench.note(format!(
            "{} pairs of units are seen together in no animal: nothing is said of them",
            connectome.joined.unseen.len()
        ));
    }
    if animals
        .iter()
        .all(|a| a.recording.units().iter().all(|u| u.label.is_none()))
    {
        bench.note(
            "the recording names no cell identities (units are known by their position alone): communities cannot be \
             compared with a wiring diagram, and several animals cannot be matched cell by cell",
        );
    }
    Ok(())
}

/// The components' time courses as a recording of their own, on the clock of each animal.
fn leave_recordings(
    connectome: &Connectome,
    animals: &[Animal],
    bench: &mut Bench,
) -> Result<(), Failure> {
    let factors = &connectome.factors;
    for (a, animal) in animals.iter().enumerate() {
        let mut time = connectome.joined.time.clone();
        if let (chiasm_core::TimeAxis::Regular { start_s, .. }, Some(first)) =
            (&mut time, animal.times_s.first())
        {
            *start_s = *first;
        }
        let values = Array2::from_shape_fn(factors.time.dim(), |(t, c)| {
            (factors.time[[t, c]] * factors.animals[[a, c]]) as f32
        });
        let mut draft = Draft::new(Activity::Traces(Traces {
            time,
            values,
            quantity: "component weight".into(),
        }));
        draft.units = (0..factors.rank())
            .map(|c| Unit {
                kind: Some("component".into()),
                ..Unit::new(format!("component {}", c + 1))
            })
            .collect();
        draft.epochs = animal.recording.epochs().to_vec();
        draft.covariates = animal.recording.covariates().to_vec();
        draft.session = animal.recording.session().clone();
        draft.session.description = "time courses of the components of a dynamic connectome".into();
        let name = if animals.len() == 1 {
            "components".into()
        } else {
            format!("components-{}", a + 1)
        };
        bench.recording(&name, draft.validate(Missing::Refuse)?)?;
    }
    Ok(())
}

fn summary(config: &FitConfig, connectome: &Connectome, animals: &[Animal]) -> Findings {
    let rank = connectome.factors.rank();
    let mut findings = Findings::new(format!(
        "{} units over {:.0} s form {} components, {}; together they explain all but {:.0} % of the affinities' norm.",
        connectome.joined.names.len(),
        connectome.joined.time.duration_s(),
        rank,
        match &connectome.choice {
            Some(c) => format!("chosen by the stated criterion ({:?})", c.reason),
            None => "as set".into(),
        },
        100.0 * connectome.factors.relative_error(),
    ));
    let what = &config.behavior.bouts;
    for animal in animals {
        let Some(test) = &animal.bout_test else {
            findings = findings.and(format!(
                "{}: no bouts of `{what}` to compare with.",
                animal.name
            ));
            continue;
        };
        let followers: Vec<String> = (0..rank)
            .filter_map(|c| {
                let p = &test.p_family[c];
                let k = usize::from(p[1] < p[0]);
                (p[k] < 0.05).then(|| {
                    format!(
                        "component {} follows {} (r = {:.2}, p = {:.4})",
                        c + 1,
                        if k == 0 { "the bouts" } else { "their onsets" },
                        test.correlation[c][k],
                        p[k]
                    )
                })
            })
            .collect();
        let mut text = format!(
            "{}: {} bouts of `{what}`; ",
            animal.name,
            animal.bouts.0.len()
        );
        if followers.is_empty() {
            text += &format!(
                "no component follows them (least family-wise p = {:.3})",
                test.least_p()
            );
        } else {
            text += &followers.join("; ");
            text += ", corrected over all components and both tests";
        }
        if !animal.surrogate_p.is_empty() {
            let list: Vec<String> = animal
                .surrogate_p
                .iter()
                .map(|p| format!("{p:.3}"))
                .collect();
            text += &format!(
                ". The same analysis on units shifted in time independently gives p = {}",
                list.join(", ")
            );
        }
        findings = findings.and(text + ".");
    }
    findings
}
