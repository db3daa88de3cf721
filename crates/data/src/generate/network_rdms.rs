//! RDMs like those of networks of one architecture trained from several seeds: the same stimuli, from layer to layer less
//! like images and more like categories; every seed with its own scale, warp and idiosyncrasy. Generated data: no
//! network was trained.
//!
//! Layer `l` of `L` at depth t = l / (L - 1) holds stimulus i at ((1 - t) a_i, t w c_i): `a_i` its image features (the same
//! for all seeds), `c_i` its category (corners of a simplex, `w` apart). To each seed's copy comes Gaussian jitter;
//! its distances are raised to a power of its own and scaled by a factor of its own and the layer's, so that only their
//! order can be compared between seeds.

use chiasm_core::Streams;
use ndarray::Array2;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::rdm::{RdmLabel, RdmRules, Rdms, n_pairs};
use crate::{DataError, Place};

/// What is planted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkRdms {
    /// Number of layers.
    pub n_layers: usize,
    /// Number of seeds.
    pub n_seeds: usize,
    /// Number of stimuli.
    pub n_stimuli: usize,
    /// Number of categories, over which the stimuli are spread evenly and in order.
    pub n_categories: usize,
    /// Number of image features.
    pub n_features: usize,
    /// Distance between categories in the last layer, in standard deviations of an image feature.
    pub category_distance: f64,
    /// Standard deviation of each seed's jitter, in those of an image feature.
    pub jitter: f64,
    /// Standard deviation of the logarithm of each RDM's scale.
    pub scale_spread: f64,
}

impl Default for NetworkRdms {
    /// The size of the paper's networks: 10 layers, 10 seeds, 62 images.
    fn default() -> Self {
        Self {
            n_layers: 10,
            n_seeds: 10,
            n_stimuli: 62,
            n_categories: 6,
            n_features: 8,
            category_distance: 3.0,
            jitter: 0.5,
            scale_spread: 0.5,
        }
    }
}

/// The RDMs (subject = seed, region = layer, named `layer 01`, ...) and the category of each stimulus.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkRdmsTruth {
    /// Seed after seed, in each layer after layer.
    pub rdms: Rdms,
    /// The category of each stimulus.
    pub category: Vec<usize>,
}

/// Makes RDMs with planted layers. Image features come from the stream `features`, seed `s` from `seed` indexed by `s`.
///
/// # Errors
/// [`DataError::Invalid`] for fewer than 2 layers or seeds, 3 stimuli, or 1 category or feature; for a negative or
/// non-finite size.
pub fn network_rdms(
    planted: &NetworkRdms,
    streams: &Streams,
) -> Result<NetworkRdmsTruth, DataError> {
    check(planted)?;
    let p = planted;
    let mut features = streams.stream("features");
    let images: Vec<f64> = StandardNormal
        .sample_iter(&mut features)
        .take(p.n_stimuli * p.n_features)
        .collect();
    let category: Vec<usize> = (0..p.n_stimuli)
        .map(|i| i * p.n_categories / p.n_stimuli)
        .collect();
    let width = p.n_features + p.n_categories;
    let mut values = Array2::zeros((p.n_seeds * p.n_layers, n_pairs(p.n_stimuli)));
    let mut labels = Vec::new();
    for s in 0..p.n_seeds {
        let mut rng = streams.indexed("seed", s);
        let power = 0.7 + 0.7 * rng.random::<f64>();
        for l in 0..p.n_layers {
            let depth = l as f64 / (p.n_layers - 1) as f64;
            let normal: f64 = StandardNormal.sample(&mut rng);
            let scale = (p.scale_spread * normal).exp();
            let mut x = vec![0.0; p.n_stimuli * width];
            for (i, row) in x.chunks_exact_mut(width).enumerate() {
                for f in 0..p.n_features {
                    row[f] = (1.0 - depth) * images[i * p.n_features + f];
                }
                // Corners of this simplex are sqrt(2) apart.
                row[p.n_features + category[i]] = depth * p.category_distance / 2f64.sqrt();
                for v in row {
                    let jitter: f64 = StandardNormal.sample(&mut rng);
                    *v += p.jitter * jitter;
                }
            }
            let mut row = values.row_mut(s * p.n_layers + l);
            let mut pair = 0;
            for i in 0..p.n_stimuli {
                for j in i + 1..p.n_stimuli {
                    let (a, b) = (
                        &x[i * width..(i + 1) * width],
                        &x[j * width..(j + 1) * width],
                    );
                    let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
                    row[pair] = scale * square.sqrt().powf(power);
                    pair += 1;
                }
            }
            labels.push(RdmLabel::new(
                format!("seed {s:02}"),
                format!("layer {:02}", l + 1),
            ));
        }
    }
    let rdms = Rdms::from_condensed(values, labels, RdmRules::default())?;
    Ok(NetworkRdmsTruth { rdms, category })
}

fn check(p: &NetworkRdms) -> Result<(), DataError> {
    let counts = [
        ("n_layers", p.n_layers, 2),
        ("n_seeds", p.n_seeds, 2),
        ("n_stimuli", p.n_stimuli, 3),
        ("n_categories", p.n_categories, 1),
        ("n_features", p.n_features, 1),
    ];
    for (name, found, least) in counts {
        if found < least {
            let expected = format!("at least {least}");
            return Err(DataError::invalid(Place::dataset(name), expected, found));
        }
    }
    let sizes = [
        ("category_distance", p.category_distance),
        ("jitter", p.jitter),
        ("scale_spread", p.scale_spread),
    ];
    for (name, found) in sizes {
        if !(found >= 0.0 && found.is_finite()) {
            return Err(DataError::invalid(Place::dataset(name), "0 or more", found));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::stats;

    #[test]
    fn layers_are_alike_across_seeds_and_differ_within_one() {
        let truth = network_rdms(&NetworkRdms::default(), &Streams::new(1)).unwrap();
        let r = &truth.rdms;
        assert_eq!((r.len(), r.n_stimuli()), (100, 62));
        let rho =
            |a: usize, b: usize| stats::spearman(&r.vector(a).to_vec(), &r.vector(b).to_vec());
        // One layer in two seeds is more alike than first and last layer of one seed.
        for same in [rho(0, 10), rho(9, 19)] {
            assert!(same > rho(0, 9) + 0.1, "{same} {}", rho(0, 9));
        }
        // In the last layer, distances within a category are the shorter ones.
        let last = r.square(9);
        let (mut within, mut between) = (vec![], vec![]);
        for i in 0..62 {
            for j in i + 1..62 {
                let same = truth.category[i] == truth.category[j];
                if same {
                    within.push(last[[i, j]])
                } else {
                    between.push(last[[i, j]])
                }
            }
        }
        assert!(stats::median(&within) < 0.8 * stats::median(&between));
    }

    #[test]
    fn what_cannot_be_planted_is_refused() {
        let refused = |p: NetworkRdms| network_rdms(&p, &Streams::new(0)).is_err();
        let d = NetworkRdms::default;
        assert!(refused(NetworkRdms { n_layers: 1, ..d() }));
        assert!(refused(NetworkRdms {
            n_stimuli: 2,
            ..d()
        }));
        assert!(refused(NetworkRdms {
            jitter: f64::NAN,
            ..d()
        }));
    }
}
