//! The arms of an identification: families of thresholds, and the baselines beside them; and their outcome, measured the
//! same way on generated, published and own RDMs.

use chiasm_analysis::rsa::map::{draw_families, grid};
use chiasm_analysis::rsa::{
    Bootstrap, Duplicates, Family, Geodesic, RsaError, Thresholds, Transform, ZeroEdges,
    accuracy_map, bootstrap, identify,
};
use chiasm_core::Failure;
use chiasm_data::Rdms;
use chiasm_lab::Bench;
use serde::{Deserialize, Serialize};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    pub(super) grid_step: f64,
    pub(super) draws: usize,
    pub(super) bootstrap: Bootstrap,
}

/// Accuracy of one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ArmResult {
    pub(super) name: String,
    pub(super) accuracy: f64,
    /// Bootstrap error; none where the arm has no bootstrap.
    pub(super) error: Option<f64>,
    /// Paired p against the rank RDM; none for the rank RDM itself, and where the arm has no bootstrap.
    pub(super) p_rank: Option<f64>,
}

/// What is measured of one set of RDMs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) arms: Vec<ArmResult>,
    /// (l, u, accuracy) over the grid.
    pub(super) map: Vec<(f64, f64, f64)>,
    pub(super) chance: f64,
    pub(super) n_flat: usize,
    /// Arms that these RDMs do not allow, with the reason.
    pub(super) left_out: Vec<(String, String)>,
}

impl Outcome {
    pub(super) fn accuracy(&self, arm: &str) -> f64 {
        let found = self.arms.iter().find(|a| a.name == arm);
        found.map_or(f64::NAN, |a| a.accuracy)
    }

    /// (l, u, accuracy) of the best cell.
    pub(super) fn best(&self) -> (f64, f64, f64) {
        let first = self.map[0];
        self.map
            .iter()
            .fold(first, |best, c| if c.2 > best.2 { *c } else { best })
    }
}

/// The transforms of each arm: raw and rank RDM, the geodesic variants, the families.
pub(super) fn arms(draws: usize, bench: &Bench) -> Result<Vec<(String, Vec<Transform>)>, Failure> {
    let geodesic = |g| vec![Transform::Geodesic(g, ZeroEdges::Keep)];
    // With l above 0 a share l of all edges has length zero, and through them nearly all stimuli become one point: the
    // paper's own two-step matrices are at l = 0, u = 0.075 (its figure of the four 8s).
    let near = Thresholds::new(0.0, 0.075)?;
    let mut arms = vec![
        ("raw".to_owned(), vec![Transform::Raw]),
        ("rank".to_owned(), vec![Transform::Rank]),
        ("two-step".to_owned(), geodesic(Geodesic::TwoStep(near))),
        ("p-shortest".to_owned(), geodesic(Geodesic::PShortest(0.05))),
        ("k-nearest".to_owned(), geodesic(Geodesic::KNearest(1))),
        ("p-nearest".to_owned(), geodesic(Geodesic::PNearest(0.05))),
    ];
    let mut rng = bench.streams().stream("families");
    for (family, thresholds) in draw_families(draws, &mut rng) {
        let transforms = thresholds
            .into_iter()
            .map(Transform::GeoTopological)
            .collect();
        arms.push((family.name().to_owned(), transforms));
    }
    Ok(arms)
}

/// Tells regions apart under every arm and over the grid, with bootstrap errors; kept as a stage of this name. A geodesic
/// arm that these RDMs do not allow (over few stimuli all short paths can have length 0) is left out with a note.
pub(super) fn measure(
    name: &str,
    rdms: &Rdms,
    effort: Effort,
    bench: &mut Bench,
) -> Result<Outcome, Failure> {
    let outcome = bench.stage(name, |bench| {
        let (mut kept, mut left_out) = (Vec::new(), Vec::new());
        for (arm, transforms) in arms(effort.draws, bench)? {
            match accuracy(rdms, &transforms) {
                Ok(point) => kept.push((arm, transforms, point)),
                Err(e) if is_geodesic(&transforms) && has_no_paths(&e) => {
                    left_out.push((arm, e.to_string()));
                }
                Err(e) => return Err(e.into()),
            }
        }
        let cells = grid(effort.grid_step, true)?;
        let map = accuracy_map(rdms, &cells, bench.watch())?;
        // What an imputed pair of a stimulus with itself would mean along a graph is not defined.
        let drawn: Vec<(&str, Vec<Transform>)> = kept
            .iter()
            .filter(|(_, t, _)| effort.bootstrap.duplicates == Duplicates::Drop || !is_geodesic(t))
            .map(|(arm, t, _)| (arm.as_str(), t.clone()))
            .collect();
        let transforms: Vec<Vec<Transform>> = drawn.iter().map(|(_, t)| t.clone()).collect();
        let streams = bench.streams().child(name);
        let spread = bootstrap(rdms, &transforms, effort.bootstrap, &streams, bench.watch())?;
        let column = |arm: &str| drawn.iter().position(|(name, _)| *name == arm);
        let rank = column("rank");
        let results = kept
            .iter()
            .map(|(arm, _, accuracy)| {
                let own = column(arm);
                ArmResult {
                    name: arm.clone(),
                    accuracy: *accuracy,
                    error: own.map(|own| spread.error(own)),
                    p_rank: own
                        .zip(rank)
                        .filter(|(own, rank)| own != rank)
                        .map(|(own, rank)| spread.paired_p(own, rank)),
                }
            })
            .collect();
        let mut regions: Vec<&str> = rdms.labels().iter().map(|l| l.region.as_str()).collect();
        regions.sort_unstable();
        regions.dedup();
        let cell = |c: &chiasm_analysis::rsa::map::MapCell| {
            (c.thresholds.l(), c.thresholds.u(), c.accuracy)
        };
        Ok(Outcome {
            arms: results,
            map: map.cells.iter().map(cell).collect(),
            chance: 1.0 / regions.len() as f64,
            n_flat: spread.n_flat,
            left_out,
        })
    })?;
    say(name, &outcome, bench);
    Ok(outcome)
}

/// What a reader of the outcome must know: outside the stage, so that it is said of one from a checkpoint, too.
fn say(name: &str, outcome: &Outcome, bench: &mut Bench) {
    for (arm, why) in &outcome.left_out {
        bench.note(format!("{name}: the arm `{arm}` is left out: {why}."));
    }
    let without = outcome.arms.iter().filter(|a| a.error.is_none());
    let without: Vec<&str> = without.map(|a| a.name.as_str()).collect();
    if !without.is_empty() {
        bench.note(format!(
            "{name}: no bootstrap error or p of {}: geodesics are not drawn anew with imputed duplicates.",
            without.join(", ")
        ));
    }
    if outcome.n_flat > 0 {
        bench.note(format!(
            "{name}: in resamples, an RDM or its geodesics had no two different values left {} times; it was told by no \
             geometry there.",
            outcome.n_flat
        ));
    }
}

/// Mean accuracy over transforms.
fn accuracy(rdms: &Rdms, transforms: &[Transform]) -> Result<f64, RsaError> {
    let mut sum = 0.0;
    for t in transforms {
        sum += identify(t.apply(rdms)?.view(), rdms.labels())?.accuracy();
    }
    Ok(sum / transforms.len() as f64)
}

/// Geodesics that these RDMs do not have, rather than a fault of theirs.
pub(super) fn has_no_paths(error: &RsaError) -> bool {
    matches!(
        error,
        RsaError::FlatGeodesics { .. } | RsaError::NoEdges { .. }
    )
}

fn is_geodesic(transforms: &[Transform]) -> bool {
    transforms
        .iter()
        .any(|t| matches!(t, Transform::Geodesic(..)))
}

/// Names of the families, in the order of their test.
pub(super) fn family_names() -> Vec<&'static str> {
    Family::ALL.map(Family::name).to_vec()
}
