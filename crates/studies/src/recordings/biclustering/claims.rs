//! What the paper and its card claim, each bound to a metric.

use chiasm_lab::ClaimKind::{Qualitative, Scaled};
use chiasm_lab::{Bound, ClaimSpec};

/// Needs the recording of the paper.
pub(super) const RECORDING: &str = "regions-of-a-recording";
/// Needs the Poisson variant.
pub(super) const POISSON: [&str; 2] = ["poisson-states", "poisson-neurons"];

pub(super) fn all() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    let card = "card 06, works when 4";
    vec![
        claim(
            "clusters-of-neurons",
            Scaled,
            "The point partition of the neurons is the planted one (adjusted Rand index)",
            "simulation; card 06, works when 4",
            "neurons/adjusted_rand",
            Bound::AtLeast(0.95),
            "the card's bar, for at least four of five seeds",
        ),
        claim(
            "number-of-clusters",
            Scaled,
            "The most frequent number of clusters is the planted three (difference)",
            "simulation; card 06, works when 4",
            "neurons/modal_minus_planted",
            Bound::Within {
                value: 0.0,
                tolerance: 0.0,
            },
            "a number is found or not",
        )
        .printed("3 clusters"),
        claim(
            "states-of-bins",
            Scaled,
            "The point partition of the bins agrees with the two planted states",
            "simulation, negative binomial (notebook: 477 of 500 bins); card 06, claim 1",
            "bins/agreement",
            Bound::AtLeast(0.9),
            "the card's bar; one seed of the paper reached 0.954",
        )
        .printed("0.954"),
        claim(
            "better-than-k-means",
            Scaled,
            "k-means of smoothed counts (best of three features) agrees less with the planted states",
            card,
            "bins/gain_over_k_means",
            Bound::AtLeast(0.05),
            "k-means reaches 0.57 to 0.82 on this generator, measured by the card over six seeds",
        ),
        claim(
            "poisson-states",
            Scaled,
            "So does that of the Poisson variant, on Poisson counts of the same paths",
            "simulation, Poisson (notebook: 473 of 500 bins); card 06, claim 1",
            "poisson/agreement",
            Bound::AtLeast(0.9),
            "the card's bar of the negative binomial",
        )
        .printed("0.946"),
        claim(
            "poisson-neurons",
            Scaled,
            "The Poisson variant finds the planted clusters in these, too (adjusted Rand index)",
            "simulation; card 06, claim 1",
            "poisson/adjusted_rand",
            Bound::AtLeast(0.95),
            "the card's bar of the negative binomial",
        ),
        claim(
            "latent-means",
            Scaled,
            "Posterior mean paths follow the planted ones up to a linear map (mean correlation over clusters and rows)",
            "simulation; card 06, works when 4",
            "latents/correlation",
            Bound::AtLeast(0.9),
            "the card's bar",
        ),
        claim(
            "latent-bands",
            Scaled,
            "95% bands of the paths cover the planted ones after linear alignment (share of rows and bins)",
            "simulation; card 06, claim 2",
            "latents/coverage",
            Bound::AtLeast(0.8),
            "chosen: the alignment is itself estimated, and the bands are pointwise",
        )
        .printed("95% bands"),
        claim(
            "one-cluster-predicts-worse",
            Qualitative,
            "With one cluster of neurons alone, held-out counts are predicted worse (nats per count)",
            "card 06, works when 5",
            "held_out/gain_over_one_cluster",
            Bound::AtLeast(1e-6),
            "must be lower",
        ),
        claim(
            "one-state-predicts-worse",
            Qualitative,
            "With one state alone, held-out counts are predicted worse (nats per count)",
            "card 06, works when 5",
            "held_out/gain_over_one_state",
            Bound::AtLeast(1e-6),
            "must be lower",
        ),
        claim(
            RECORDING,
            Qualitative,
            "On the recording of the paper, neurons of one region share a cluster more often than neurons of two (difference of mean co-clustering)",
            "Neuropixels recording; card 06, works when 6",
            "recording/within_minus_between",
            Bound::AtLeast(0.05),
            "the card's bar",
        ),
    ]
}
