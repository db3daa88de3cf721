//! What the paper claims, at the scale of small networks on MNIST and on CIFAR-10.

use chiasm_lab::ClaimKind::{Exact, Qualitative, Scaled};
use chiasm_lab::{Bound, ClaimSpec};

/// Claims whose bound is a figure of MNIST.
pub(super) const MNIST_ALONE: [&str; 3] = ["quantized-accuracy", "random-stops-worse", "robust"];

/// Claims whose bar is one for CIFAR-10.
pub(super) const CIFAR_ALONE: [&str; 4] = [
    "photographs-quantized-accuracy",
    "photographs-steps",
    "photographs-latency-honestly",
    "photographs-random-stops-worse",
];

pub(super) fn all() -> Vec<ClaimSpec> {
    let mut all = digits();
    all.extend(photographs());
    all
}

/// Those on photographs. Where the card has no bar of its own, it was chosen before anything was measured.
pub(super) fn photographs() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    vec![
        claim(
            "photographs-first-layer",
            Exact,
            "On photographs, too, a neuron of the first layer spikes in as many steps as there are levels as often as its activation says",
            "card 48, works when 1: identity of conversion",
            "photographs/first-layer/unequal",
            Bound::AtMost(0.0),
            "none of a hundred images' may differ",
        ),
        claim(
            "photographs-quantized-accuracy",
            Scaled,
            "The quantized convolutional network learns the task",
            "claim 1",
            "photographs/quantized/accuracy",
            Bound::AtLeast(0.5),
            "chosen: five times chance, of a small network and few of the images",
        )
        .printed("93.79 % (ResNet-18, all of CIFAR-10)"),
        claim(
            "photographs-conversion",
            Scaled,
            "After all steps the spikes say what the quantized network says (worst network)",
            "claim 1",
            "photographs/conversion/apart",
            Bound::AtMost(0.01),
            "chosen: twice the half point of the paper's demonstration",
        )
        .printed("94.27 against 93.79 %"),
        claim(
            "photographs-steps",
            Scaled,
            "More steps for everyone tell more: all steps less one step",
            "claim 1",
            "photographs/fixed/gained",
            Bound::AtLeast(0.05),
            "chosen: a third of what the paper's demonstration gains",
        )
        .printed("from 78.76 to 94.27 %"),
        claim(
            "photographs-no-accuracy-lost",
            Scaled,
            "Stopping at a confidence loses no accuracy against all steps",
            "claims 1 and 2",
            "photographs/agent/lost",
            Bound::AtMost(0.001),
            "as on digits: at most a tenth of a point",
        )
        .printed("94.27 % both ways"),
        claim(
            "photographs-latency",
            Scaled,
            "The mean latency is at least two fifths below all steps",
            "claim 2: on average 40 % over eight settings",
            "photographs/agent/saved",
            Bound::AtLeast(0.4),
            "the paper's mean",
        )
        .printed("11.51 of 27 steps"),
        claim(
            "photographs-latency-honestly",
            Scaled,
            "The mean latency is below that of the fewest steps for everyone that do as well",
            "card 48, E (ii): the honest comparison",
            "photographs/agent/saved-honestly",
            Bound::AtLeast(0.1),
            "chosen: a tenth",
        ),
        claim(
            "photographs-spikes-saved",
            Scaled,
            "Spikes are saved in proportion to steps",
            "claim 1: spikes of a neuron fall from 3.02 to 1.29",
            "photographs/spikes/apart-from-latency",
            Bound::AtMost(0.1),
            "card 48, works when 6: within a tenth of the latency saved",
        ),
        claim(
            "photographs-oracle",
            Exact,
            "No rule is more accurate than the oracle",
            "claim 4; card 48, works when 4",
            "photographs/oracle/above-agent",
            Bound::AtLeast(0.0),
            "by its definition",
        ),
        claim(
            "photographs-random-stops-worse",
            Qualitative,
            "The same stop times dealt out at random are less accurate",
            "card 48, works when 5 (chosen)",
            "photographs/dealt/worse-by",
            Bound::AtLeast(0.003),
            "three tenths of a point, as on digits",
        ),
    ]
}

fn digits() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    vec![
        claim(
            "first-layer",
            Exact,
            "In as many steps as there are levels a neuron of the first layer spikes as often as its quantized activation says",
            "card 48, works when 1: identity of conversion",
            "first-layer/unequal",
            Bound::AtMost(0.0),
            "both from the same sums; none may differ",
        ),
        claim(
            "quantized-accuracy",
            Scaled,
            "The quantized network learns the task",
            "card 48, works when 2",
            "quantized/accuracy",
            Bound::AtLeast(0.96),
            "the card's bar for MNIST; an independent program reached .967",
        ),
        claim(
            "conversion",
            Scaled,
            "After 32 steps the spikes say what the quantized network says (worst network)",
            "card 48, works when 2",
            "long/apart",
            Bound::AtMost(0.003),
            "the card's bar",
        ),
        claim(
            "no-accuracy-lost",
            Scaled,
            "Stopping at a confidence loses no accuracy against all steps",
            "claims 1 and 2",
            "agent/lost",
            Bound::AtMost(0.001),
            "card 48, works when 2: at most a tenth of a point",
        )
        .printed("CIFAR-10: 94.27 % both ways"),
        claim(
            "latency",
            Scaled,
            "The mean latency is at most half of all steps",
            "claims 1 and 2",
            "agent/saved",
            Bound::AtLeast(0.5),
            "card 48, works when 2: at most 4 of 8 steps",
        )
        .printed("CIFAR-10: 11.51 of 27 steps"),
        claim(
            "latency-honestly",
            Scaled,
            "The mean latency is below that of the fewest steps for everyone that do as well",
            "card 48, E (ii): the honest comparison",
            "agent/saved-honestly",
            Bound::AtLeast(0.3),
            "card 48, works when 2",
        ),
        claim(
            "spikes-saved",
            Scaled,
            "Spikes are saved in proportion to steps",
            "claim 1: spikes of a neuron fall from 3.02 to 1.29",
            "spikes/apart-from-latency",
            Bound::AtMost(0.1),
            "card 48, works when 6: within a tenth of the latency saved",
        ),
        claim(
            "robust",
            Scaled,
            "At the calibrated smoothing accuracy hardly depends on the threshold",
            "claim 3; card 48, works when 3",
            "range/smooth",
            Bound::AtMost(0.002),
            "thresholds from .6 to .95 within a fifth of a point",
        ),
        claim(
            "oracle-accuracy",
            Exact,
            "No rule is more accurate than the oracle",
            "claim 4; card 48, works when 4",
            "oracle/above-agent",
            Bound::AtLeast(0.0),
            "by its definition",
        ),
        claim(
            "oracle-latency",
            Qualitative,
            "The oracle stops sooner than the agent",
            "claim 4; card 48, works when 4",
            "oracle/sooner",
            Bound::AtLeast(0.0),
            "the agent is sooner only where it stops before it is right",
        ),
        claim(
            "random-stops-worse",
            Qualitative,
            "The same stop times dealt out at random are less accurate: confidence tells which images are hard",
            "card 48, works when 5 (chosen)",
            "dealt/worse-by",
            Bound::AtLeast(0.003),
            "three tenths of a point",
        ),
        claim(
            "drift-order",
            Qualitative,
            "Made-up samples that drift more slowly are watched for longer",
            "card 48, works when 7",
            "drift/ordered-by",
            Bound::AtLeast(0.0),
            "mean steps at drifts .3, 1 and 3 in this order; the least difference",
        ),
    ]
}
