//! The search for the partition with the shortest description.

use chiasm_core::{Cancelled, Streams, Watch};
use rayon::prelude::*;

use super::config::{BlockModel, DegreeCorrection, WeightModel};
use super::descent::{Found, Search};
use super::description::{DescriptionLength, describe};
use super::error::BlockModelError;
use super::graph::WeightedGraph;
use super::multigraph::Multigraph;
use super::search::GAIN;
use super::state::compact;
use super::terms::{Layer, LogFactorials, Terms};
use super::weights::Weighting;

/// A fitted block model.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocks {
    /// Labels of the nodes at each level, finest first, from 0 in order of block size. Levels with one block, or with
    /// as many as the level below, are cut; where nothing is left there is one level of one block.
    pub levels: Vec<Vec<usize>>,
    /// Its description length.
    pub description: DescriptionLength,
    /// The weight model kept: the one asked for, or the one that [`WeightModel::Auto`] chose.
    pub weights: WeightModel,
    /// Whether the model kept is degree-corrected.
    pub degree_corrected: bool,
    /// Description length of the plain model less that of the degree-corrected one, where both were fitted: the
    /// evidence for degree correction, nats.
    pub ln_evidence_ratio: Option<f64>,
    /// Description length found by each restart of the model kept, nats.
    pub restarts: Vec<f64>,
}

impl Blocks {
    /// Labels of the nodes at the finest level.
    #[must_use]
    pub fn labels(&self) -> &[usize] {
        &self.levels[0]
    }

    /// Number of blocks at the finest level.
    #[must_use]
    pub fn n_blocks(&self) -> usize {
        self.labels().iter().max().map_or(0, |m| m + 1)
    }
}

/// The fit with the shortest description, the first of equals, with what it says about degree correction.
fn shortest(mut fits: Vec<Blocks>) -> Blocks {
    let total = |fit: &Blocks| fit.description.total();
    let mut best = 0;
    for k in 1..fits.len() {
        if total(&fits[k]) < total(&fits[best]) {
            best = k;
        }
    }
    let of = |corrected: bool| {
        fits.iter()
            .find(|f| f.weights == fits[best].weights && f.degree_corrected == corrected)
            .map(total)
    };
    let ratio = of(false)
        .zip(of(true))
        .map(|(plain, corrected)| plain - corrected);
    let mut fit = fits.swap_remove(best);
    fit.ln_evidence_ratio = ratio;
    fit
}

impl BlockModel {
    /// Fits the model: restarts run in parallel, each on its own stream, so that the result does not depend on the
    /// number of threads.
    ///
    /// # Errors
    /// Settings out of range; a weight outside the weight model's domain; a request to stop.
    pub fn fit(
        &self,
        graph: &WeightedGraph,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Blocks, BlockModelError> {
        self.validate()?;
        let lf = LogFactorials::new(2 * graph.n_edges() + graph.n_nodes());
        let weightings: Vec<(WeightModel, Weighting<'_>, Multigraph)> = self
            .weights
            .candidates(graph)?
            .into_iter()
            .map(|(model, weighting)| {
                let ground = Multigraph::ground(&weighting.graph);
                (model, weighting, ground)
            })
            .collect();
        let corrections: &[bool] = match self.degree_correction {
            DegreeCorrection::Auto => &[false, true],
            DegreeCorrection::On => &[true],
            DegreeCorrection::Off => &[false],
        };
        let variants: Vec<(usize, bool)> = (0..weightings.len())
            .flat_map(|w| corrections.iter().map(move |&deg_corr| (w, deg_corr)))
            .collect();
        let tasks: Vec<(usize, bool, usize)> = variants
            .iter()
            .flat_map(|&(w, deg_corr)| (0..self.restarts).map(move |r| (w, deg_corr, r)))
            .collect();
        watch.stage("block model", tasks.len() as u64);
        let found: Vec<Found> = tasks
            .par_iter()
            .map(|&(w, deg_corr, restart)| {
                let name = if deg_corr { "corrected" } else { "plain" };
                let (_, weighting, ground) = &weightings[w];
                let mut search = Search {
                    settings: self,
                    ground,
                    terms: Terms {
                        layer: Layer::Ground {
                            deg_corr,
                            weights: weighting.term,
                        },
                        lf: &lf,
                    },
                    rng: streams.child("block-model").indexed(name, restart),
                    watch,
                };
                let found = search.run()?;
                watch.tick(1);
                Ok(found)
            })
            .collect::<Result<_, Cancelled>>()?;

        let mut fits = Vec::new();
        for (&(w, degree_corrected), searches) in variants.iter().zip(found.chunks(self.restarts)) {
            let (model, weighting, _) = &weightings[w];
            // The first of equals, whatever the order in which they ended.
            let mut best = &searches[0];
            for search in searches {
                if search.cost < best.cost - GAIN {
                    best = search;
                }
            }
            let description = describe(weighting, &self.hierarchy(best), degree_corrected)?;
            let offset = description.total() - best.cost;
            fits.push(Blocks {
                levels: projected(best),
                description,
                weights: *model,
                degree_corrected,
                ln_evidence_ratio: None,
                restarts: searches.iter().map(|s| s.cost + offset).collect(),
            });
        }
        Ok(shortest(fits))
    }

    /// The levels as [`describe`] takes them.
    fn hierarchy(&self, found: &Found) -> Vec<Vec<usize>> {
        let widen = |labels: &Vec<u32>| labels.iter().map(|&r| r as usize).collect();
        let mut levels: Vec<Vec<usize>> = vec![widen(&found.labels)];
        if self.nested {
            levels.extend(found.above.iter().map(widen));
        }
        levels
    }
}

/// Labels of the nodes at every level worth reporting.
fn projected(found: &Found) -> Vec<Vec<usize>> {
    let mut labels = found.labels.clone();
    let mut levels = vec![by_size(&labels)];
    let mut below = compact(&labels).1;
    for above in &found.above {
        let b = compact(above).1;
        for label in &mut labels {
            *label = above[*label as usize];
        }
        if b > 1 && b < below {
            levels.push(by_size(&labels));
        }
        below = b;
    }
    levels
}

/// Labels from 0 in descending order of block size; equals in order of first appearance.
fn by_size(labels: &[u32]) -> Vec<usize> {
    let (labels, b) = compact(labels);
    let mut size = vec![0usize; b];
    for &r in &labels {
        size[r as usize] += 1;
    }
    let mut order: Vec<usize> = (0..b).collect();
    order.sort_by_key(|&r| (usize::MAX - size[r], r));
    let mut rank = vec![0; b];
    for (new, &r) in order.iter().enumerate() {
        rank[r] = new;
    }
    labels.iter().map(|&r| rank[r as usize]).collect()
}
