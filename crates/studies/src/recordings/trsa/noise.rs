//! Identification under noise, and what limits it.

use chiasm_analysis::rsa::{RsaError, Transform, add_noise, identify, worse_p};
use chiasm_core::{Failure, stats};
use chiasm_data::Rdms;
use chiasm_data::generate::{NetworkRdms, network_rdms};
use chiasm_lab::Bench;
use chiasm_lab::bench::Table;

use super::arms::{arms, family_names, has_no_paths};
use super::config::Config;

/// Other networks whose mean RDMs stand for the layers' true ones.
const OTHER_SEEDS: usize = 100;

/// The accuracy of one arm at each noise level, and in each subject at the largest.
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) accuracy: Vec<f64>,
    by_subject: Vec<f64>,
}

/// Tells regions apart at every noise level, by RDM and by each family; metrics are named `{name}/...`. Each accuracy is
/// the mean over `noise_draws` draws of the noise, the same for all arms.
pub(super) fn under_noise(
    name: &str,
    title: &str,
    config: &Config,
    rdms: &Rdms,
    bench: &mut Bench,
) -> Result<Vec<Curve>, Failure> {
    let families = family_names();
    let shown = |arm: &str| ["raw", "rank", "two-step"].contains(&arm) || families.contains(&arm);
    let arms: Vec<_> = arms(config.draws, bench)?
        .into_iter()
        .filter(|(arm, _)| shown(arm))
        .collect();
    let mut curves: Vec<Curve> = Vec::new();
    for (arm, _) in &arms {
        curves.push(Curve {
            name: arm.clone(),
            accuracy: vec![],
            by_subject: vec![],
        });
    }
    for (i, &level) in config.noise_levels.iter().enumerate() {
        let noisy = noisy_copies(name, i, level, config, rdms, bench)?;
        for ((arm, transforms), curve) in arms.iter().zip(&mut curves) {
            match by_subject(&noisy, transforms) {
                Ok(found) => {
                    curve.accuracy.push(stats::mean(&found));
                    curve.by_subject = found;
                }
                Err(e) if has_no_paths(&e) => {
                    bench.note(format!(
                        "{title}: `{arm}` is left out at noise {level}: {e}."
                    ));
                    curve.accuracy.push(f64::NAN);
                    curve.by_subject.clear();
                }
                Err(e) => return Err(e.into()),
            }
        }
        bench.watch().check()?;
    }
    curves.retain(|c| c.accuracy.iter().all(|a| a.is_finite()));
    let of = |arm: &str| curves.iter().find(|c| c.name == arm);
    let mut rows = Vec::new();
    for curve in &curves {
        let (first, last) = (curve.accuracy[0], curve.accuracy[curve.accuracy.len() - 1]);
        bench.metric(&format!("{name}/noise-max/{}", curve.name), last, "1")?;
        let cells = [first, last, last - first].map(|v| format!("{v:.3}"));
        rows.push([vec![curve.name.clone()], cells.to_vec()].concat());
    }
    if let (Some(rank), Some(topology)) = (of("rank"), of("topology")) {
        let gap = stats::mean(&topology.by_subject) - stats::mean(&rank.by_subject);
        bench.metric(&format!("{name}/noise-max/topology-minus-rank"), gap, "1")?;
        let p = worse_p(&topology.by_subject, &rank.by_subject)?;
        bench.metric(&format!("{name}/noise-max/topology-worse-p"), p, "1")?;
    }
    let level = |i: usize| format!("noise {} sd", config.noise_levels[i]);
    bench.table(Table {
        id: format!("{name}-noise"),
        title: format!("{title}: accuracy by least and largest noise, and what the noise takes"),
        columns: vec![
            "transform".into(),
            level(0),
            level(config.noise_levels.len() - 1),
            "change".into(),
        ],
        rows,
    })?;
    Ok(curves)
}

fn noisy_copies(
    name: &str,
    i: usize,
    level: f64,
    config: &Config,
    rdms: &Rdms,
    bench: &Bench,
) -> Result<Vec<Rdms>, Failure> {
    let streams = bench.streams().child(&format!("{name}, noise level {i}"));
    // Without noise all draws are alike.
    let n = if level > 0.0 { config.noise_draws } else { 1 };
    (0..n)
        .map(|draw| {
            let own = streams.child(&format!("draw {draw}"));
            Ok(add_noise(rdms, level, config.noise_scale, &own)?)
        })
        .collect()
}

/// Accuracy in each subject, the mean over copies and transforms.
fn by_subject(copies: &[Rdms], transforms: &[Transform]) -> Result<Vec<f64>, RsaError> {
    let mut sums: Vec<f64> = Vec::new();
    for rdms in copies {
        for transform in transforms {
            let own = identify(transform.apply(rdms)?.view(), rdms.labels())?.by_subject();
            sums.resize(own.len(), 0.0);
            sums.iter_mut().zip(own).for_each(|(s, a)| *s += a);
        }
    }
    let n = (copies.len() * transforms.len()) as f64;
    Ok(sums.into_iter().map(|s| s / n).collect())
}

/// How many of the generated RDMs the rank RDM could tell if the layers' mean RDMs were known: they are taken over
/// [`OTHER_SEEDS`] networks more. What is missing to 1 is the seeds' own jitter.
pub(super) fn known_layers(planted: &NetworkRdms, bench: &Bench) -> Result<f64, Failure> {
    let more = NetworkRdms {
        n_seeds: planted.n_seeds + OTHER_SEEDS,
        ..planted.clone()
    };
    // The first seeds are those of the study: every seed has a stream of its own.
    let rdms = network_rdms(&more, bench.streams())?.rdms;
    let found = identify(Transform::Rank.apply(&rdms)?.view(), rdms.labels())?;
    let n = planted.n_seeds * planted.n_layers;
    let both = found.predicted.iter().zip(&found.groups.region).take(n);
    Ok(both.filter(|(p, r)| p == r).count() as f64 / n as f64)
}
