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
    pub(super) error: f64,
    /// Paired p against the rank RDM; NaN is not possible, 1 for the rank RDM itself.
    pub(super) p_rank: f64,
}

/// What is measured of one set of RDMs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) arms: Vec<ArmResult>,
    /// (l, u, accuracy) over the grid.
    pub(super) map: Vec<(f64, f64, f64)>,
    pub(super) chance: f64,
    pub(super) n_flat: usize,
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

/// Tells regions apart under every arm and over the grid, with bootstrap errors; kept as a stage of this name.
pub(super) fn measure(
    name: &str,
    rdms: &Rdms,
    effort: Effort,
    bench: &mut Bench,
) -> Result<Outcome, Failure> {
    bench.stage(name, |bench| {
        let accuracy = |transforms: &[Transform]| -> Result<f64, Failure> {
            let mut sum = 0.0;
            for t in transforms {
                let vectors = t.apply(rdms)?;
                sum += identify(vectors.view(), rdms.labels())?.accuracy();
            }
            Ok(sum / transforms.len() as f64)
        };
        let (mut arms, mut points) = (Vec::new(), Vec::new());
        for (arm, transforms) in self::arms(effort.draws, bench)? {
            match accuracy(&transforms) {
                Ok(point) => {
                    arms.push((arm, transforms));
                    points.push(point);
                }
                // Few stimuli can leave a graph without a path longer than zero: no geodesics to compare.
                Err(e) if is_geodesic(&transforms) && is_flat(&e) => {
                    bench.note(format!("The arm `{arm}` is left out: {e}."));
                }
                Err(e) => return Err(e),
            }
        }
        let cells = grid(effort.grid_step, true)?;
        let map = accuracy_map(rdms, &cells, bench.watch())?;
        let transforms: Vec<Vec<Transform>> = arms
            .iter()
            .map(|(_, t)| t.clone())
            .filter(|t| effort.bootstrap.duplicates == Duplicates::Drop || !is_geodesic(t))
            .collect();
        let streams = bench.streams().child(name);
        let spread = bootstrap(rdms, &transforms, effort.bootstrap, &streams, bench.watch())?;
        let mut column = 0;
        let mut results = Vec::new();
        for ((name, t), accuracy) in arms.iter().zip(points) {
            // Geodesics with imputed duplicates have no bootstrap: their error is given as 0 and p as 1.
            let drawn = transforms.contains(t);
            results.push(ArmResult {
                name: name.clone(),
                accuracy,
                error: if drawn { spread.error(column) } else { 0.0 },
                p_rank: if drawn {
                    spread.paired_p(column, 1)
                } else {
                    1.0
                },
            });
            column += usize::from(drawn);
        }
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
        })
    })
}

fn is_flat(failure: &Failure) -> bool {
    matches!(
        failure.downcast_ref::<RsaError>(),
        Some(RsaError::Constant { .. } | RsaError::NoEdges { .. })
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
