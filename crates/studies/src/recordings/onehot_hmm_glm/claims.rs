//! What the paper and its card claim, each bound to a metric.

use chiasm_lab::ClaimKind::{Exact, Qualitative, Scaled};
use chiasm_lab::{Bound, ClaimSpec};

/// Claims that need recordings which are not public.
pub(super) const RECORDINGS: [&str; 2] = ["held-out-on-recordings", "states-follow-behavior"];

/// The claim about signs, which speaks of networks whose states were found.
pub(super) const SIGNS: &str = "signs-of-strong-couplings";

pub(super) fn all() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    vec![
        claim(
            "recursions-are-exact",
            Exact,
            "Forward-backward agrees with the sum over all S^T paths: posteriors, transitions, likelihood (largest difference)",
            "Section 2 (inference); card 26, works when 1",
            "chain/brute_force_difference",
            Bound::AtMost(1e-10),
            "rounding of sums of 729 paths",
        ),
        claim(
            "true-parameters-decode-states",
            Scaled,
            "With the true parameters nearly every bin's state is told from the counts",
            "Section 4 (simulated data); card 26, works when 3",
            "accuracy/truth",
            Bound::AtLeast(0.975),
            "mean over networks; a reference run gave 0.983 and 0.988 on two networks of the same generator",
        ),
        claim(
            "ample-data-states",
            Scaled,
            "With ample training trials free weights suffice to find the states",
            "card 26, works when 4",
            "ample/accuracy",
            Bound::AtLeast(0.97),
            "a reference run gave 0.983",
        ),
        claim(
            "ample-data-weights",
            Scaled,
            "With ample training trials free weights correlate with the true ones",
            "card 26, works when 4",
            "ample/weight_correlation",
            Bound::AtLeast(0.97),
            "a reference run gave 0.987",
        ),
        claim(
            "gaussian-beats-free",
            Scaled,
            "With 4 training trials weights tied by a Gaussian predict held-out trials better than free ones",
            "Figure of the simulated data (order of the models); card 26, works when 5",
            "gain/gaussian_over_free",
            Bound::AtLeast(0.0),
            "mean over the networks of the difference in log-likelihood for each bin and unit",
        ),
        claim(
            "one-hot-beats-gaussian",
            Scaled,
            "One-hot couplings predict them better still",
            "Figure of the simulated data (order of the models); card 26, works when 5",
            "gain/one_hot_over_gaussian",
            Bound::AtLeast(0.0),
            "mean over the networks of the difference in log-likelihood for each bin and unit",
        ),
        claim(
            "one-hot-closes-the-gap",
            Scaled,
            "One-hot couplings close a good part of the gap between the Gaussian model and the true parameters",
            "card 26, works when 5",
            "gap_closed",
            Bound::AtLeast(0.3),
            "ratio of means over the networks; chosen by the card",
        ),
        claim(
            "one-hot-weights",
            Scaled,
            "One-hot weights correlate with the true ones better than Gaussian ones",
            "Figure of the simulated data; card 26, works when 5",
            "gain/weight_correlation",
            Bound::AtLeast(0.0),
            "mean over the networks; a reference run gave 0.95 against 0.86 on one",
        ),
        claim(
            SIGNS,
            Scaled,
            "Where states are found, couplings above 0.5 have the right sign",
            "card 26, works when 5",
            "signs_right",
            Bound::AtLeast(0.9),
            "least share over the networks and models with a state accuracy of 0.95 or more; chosen by the card",
        ),
        claim(
            "cold-start-merges-states",
            Scaled,
            "A one-hot model that starts cold, with the prior counted once for each trial, merges states",
            "card 26, works when 6",
            "accuracy/one_hot_cold",
            Bound::AtMost(0.6),
            "a reference run gave 0.33 to 0.42",
        ),
        claim(
            "cold-start-predicts-worse",
            Scaled,
            "and predicts held-out trials worse than the Gaussian model",
            "card 26, works when 6",
            "gain/gaussian_over_one_hot_cold",
            Bound::AtLeast(0.0),
            "mean over the networks of the difference in log-likelihood for each bin and unit",
        ),
        claim(
            RECORDINGS[0],
            Qualitative,
            "On recordings the one-hot model has the best held-out likelihood",
            "Abstract; Section 5",
            "recordings/one_hot_minus_next",
            Bound::AtLeast(0.0),
            "the paper's figures could not be verified",
        ),
        claim(
            RECORDINGS[1],
            Qualitative,
            "States found in the prefrontal cortex of a rat in a maze follow its position",
            "Section 5.1",
            "recordings/state_information",
            Bound::AtLeast(0.0),
            "the paper's figures could not be verified",
        ),
    ]
}
