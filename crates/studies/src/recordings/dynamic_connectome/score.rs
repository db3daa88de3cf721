//! Measures of an arm against the planted truth.

use chiasm_core::stats;
use chiasm_data::generate::{CalciumTruth, PlantedMotif};
use ndarray::Array2;

/// What an arm says: components (or states) of time, pairs and, where it has them, animals.
pub(super) struct Arm {
    /// Times of the columns of `time`, s.
    pub times_s: Vec<f64>,
    /// `[component, time]`.
    pub time: Array2<f64>,
    /// `[component, pair]`, pairs as in [`Truth::pairs`].
    pub pairs: Array2<f64>,
    /// `[component, animal]`.
    pub animals: Option<Array2<f64>>,
}

/// The truth on the units and pairs that were seen.
pub(super) struct Truth<'a> {
    pub motifs: &'a [PlantedMotif],
    /// `[motif][unit]`.
    pub community_of: Vec<Vec<Option<usize>>>,
    pub pairs: &'a [(usize, usize)],
    pub n_animals: usize,
}

impl<'a> Truth<'a> {
    /// The truth of the units of these names, which come in another order than the truth's own.
    pub(super) fn of(
        truth: &CalciumTruth,
        motifs: &'a [PlantedMotif],
        names: &[String],
        pairs: &'a [(usize, usize)],
        n_animals: usize,
    ) -> Self {
        let community_of = truth
            .community_of
            .iter()
            .map(|of| {
                let community = |name: &String| {
                    truth
                        .names
                        .iter()
                        .position(|n| n == name)
                        .and_then(|i| of[i])
                };
                names.iter().map(community).collect()
            })
            .collect();
        Self {
            motifs,
            community_of,
            pairs,
            n_animals,
        }
    }

    /// Whether each pair is of one community in this motif.
    pub(super) fn together(&self, motif: usize) -> Vec<bool> {
        let of = &self.community_of[motif];
        self.pairs
            .iter()
            .map(|&(i, j)| of[i].is_some() && of[i] == of[j])
            .collect()
    }

    /// The units of a motif's communities, and the community of each.
    pub(super) fn active(&self, motif: usize) -> (Vec<usize>, Vec<usize>) {
        let of = &self.community_of[motif];
        (0..of.len()).filter_map(|u| of[u].map(|c| (u, c))).unzip()
    }

    /// 1 while a motif's stimulus is on.
    pub(super) fn indicator(&self, motif: usize, times_s: &[f64]) -> Vec<f64> {
        let m = &self.motifs[motif];
        let inside = |t: &f64| f64::from(u8::from(*t >= m.start_s && *t < m.stop_s));
        times_s.iter().map(inside).collect()
    }
}

/// How one motif was found by an arm.
#[derive(Debug, Clone, Copy)]
pub(super) struct MotifScore {
    /// The component matched to it.
    pub component: usize,
    /// Correlation of its time course with the stimulus.
    pub time_correlation: f64,
    /// Area under the ROC curve of its pair weights for pairs of one community.
    pub pair_auc: f64,
    /// Largest weight of an animal that does not respond, relative to the largest of all; 0 where all respond.
    pub outside: Option<f64>,
}

/// Matches components to motifs, one to one, so that the sum of time correlations is greatest, and scores each.
pub(super) fn score(arm: &Arm, truth: &Truth<'_>) -> Vec<MotifScore> {
    let n_components = arm.time.nrows();
    let correlation: Vec<Vec<f64>> = (0..truth.motifs.len())
        .map(|m| {
            let indicator = truth.indicator(m, &arm.times_s);
            let with = |c: usize| {
                let r = stats::pearson(&arm.time.row(c).to_vec(), &indicator);
                // A component that never changes follows nothing.
                if r.is_nan() { 0.0 } else { r }
            };
            (0..n_components).map(with).collect()
        })
        .collect();
    best_matching(&correlation)
        .into_iter()
        .enumerate()
        .map(|(m, component)| MotifScore {
            component,
            time_correlation: correlation[m][component],
            pair_auc: stats::roc_auc(&arm.pairs.row(component).to_vec(), &truth.together(m)),
            outside: arm.animals.as_ref().map(|animals| {
                let weights = animals.row(component);
                let largest = |set: &dyn Fn(&usize) -> bool| {
                    (0..truth.n_animals)
                        .filter(set)
                        .map(|w| weights[w])
                        .fold(0.0, f64::max)
                };
                let inside = |w: &usize| truth.motifs[m].animals.contains(w);
                let top = largest(&|_| true);
                if top > 0.0 {
                    largest(&|w| !inside(w)) / top
                } else {
                    1.0
                }
            }),
        })
        .collect()
}

/// For each row the column given to it: every choice is tried. Rows beyond the number of columns share the last.
fn best_matching(score: &[Vec<f64>]) -> Vec<usize> {
    fn go(score: &[Vec<f64>], taken: &mut Vec<usize>, sum: f64, best: &mut (f64, Vec<usize>)) {
        let Some(row) = score.get(taken.len()) else {
            if sum > best.0 {
                *best = (sum, taken.clone());
            }
            return;
        };
        let spare = row.len() < score.len();
        for (c, s) in row.iter().enumerate() {
            if spare || !taken.contains(&c) {
                taken.push(c);
                go(score, taken, sum + s, best);
                taken.pop();
            }
        }
    }
    let mut best = (f64::NEG_INFINITY, vec![0; score.len()]);
    go(score, &mut Vec::new(), 0.0, &mut best);
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching_takes_the_best_sum_not_the_best_first() {
        assert_eq!(best_matching(&[vec![0.9, 0.8], vec![0.85, 0.1]]), [1, 0]);
        assert_eq!(best_matching(&[vec![0.5], vec![0.4]]), [0, 0]);
    }
}
