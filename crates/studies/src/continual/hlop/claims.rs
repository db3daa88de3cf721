//! What the paper claims, and the card's bars for it. The paper's own figures could not be verified and are not printed.

use chiasm_lab::ClaimKind::{Exact, Qualitative, Scaled};
use chiasm_lab::{Bound, ClaimSpec};

use super::config::Arm;

/// A claim needs these arms.
pub(super) fn needs(id: &str) -> &'static [Arm] {
    match id {
        "forgets-little" | "full-scale-accuracy" | "full-scale-forgetting" => &[Arm::Hlop],
        "sequential-forgets" => &[Arm::Sequential],
        "forgets-less" | "more-accurate" | "first-task-alike" => &[Arm::Sequential, Arm::Hlop],
        "learned-rows-needed" => &[Arm::Hlop, Arm::FrozenRows],
        "full-rank-blocks" => &[Arm::FullRank],
        "spiking-lateral" => &[Arm::Hlop, Arm::SpikingLateral],
        "through-time" => &[Arm::BpttSequential, Arm::BpttHlop],
        "forward-in-time" => &[Arm::OtttSequential, Arm::OtttHlop],
        "random-feedback" => &[Arm::RandomSequential, Arm::RandomHlop],
        "sign-feedback" => &[Arm::SignSequential, Arm::SignHlop],
        _ => &[],
    }
}

/// Claims about 10 tasks of 60,000 images.
pub(super) const FULL_SCALE: [&str; 2] = ["full-scale-accuracy", "full-scale-forgetting"];
/// Claims whose bound is a figure of permuted MNIST.
pub(super) const MNIST_ALONE: [&str; 10] = [
    "forgets-little",
    "sequential-forgets",
    "forgets-less",
    "more-accurate",
    "learned-rows-needed",
    "spiking-lateral",
    "through-time",
    "forward-in-time",
    "random-feedback",
    "sign-feedback",
];

pub(super) fn all() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    let works = |id, statement, metric| {
        claim(
            id,
            Scaled,
            statement,
            "card 19, claim 3",
            metric,
            Bound::AtLeast(0.02),
            "chosen: two points of backward transfer more than sequential training by the same rule",
        )
    };
    vec![
        claim(
            "subspace-found",
            Exact,
            "The Hebbian and anti-Hebbian rule finds the principal subspace: distance of the projectors",
            "card 19, claim 5 and works when 1",
            "oja/apart",
            Bound::AtMost(0.1),
            "the card's bar",
        ),
        claim(
            "rows-orthonormal",
            Exact,
            "and its rows become orthonormal",
            "card 19, works when 1",
            "oja/from-orthonormal",
            Bound::AtMost(0.1),
            "the card's bar",
        ),
        claim(
            "anti-hebbian-needed",
            Qualitative,
            "Without the anti-Hebbian half rows diverge",
            "card 19, works when 1: ablation",
            "oja/hebb-alone-from-orthonormal",
            Bound::AtLeast(100.0),
            "a thousand times the bar above",
        ),
        claim(
            "protection-exact",
            Exact,
            "Outputs for inputs that finished rows span do not change, double precision",
            "card 19, works when 2",
            "protection/f64",
            Bound::AtMost(1e-12),
            "rounding alone",
        ),
        claim(
            "protection-single",
            Exact,
            "The same in single precision",
            "card 19, works when 2",
            "protection/f32",
            Bound::AtMost(1e-5),
            "rounding alone",
        ),
        claim(
            "sequential-forgets",
            Scaled,
            "Sequential training forgets strongly (BWT)",
            "card 19, claim 3",
            "sequential/bwt",
            Bound::AtMost(-0.05),
            "chosen: five points; an independent program lost 9.6",
        ),
        claim(
            "forgets-little",
            Scaled,
            "The method forgets little (BWT)",
            "card 19, works when 3",
            "hlop/bwt",
            Bound::AtLeast(-0.05),
            "the card's bar; an independent program lost 3.2 points",
        ),
        claim(
            "forgets-less",
            Scaled,
            "and less than sequential training",
            "card 19, works when 3",
            "hlop/kept",
            Bound::AtLeast(0.04),
            "the card's bar: four points of BWT",
        ),
        claim(
            "more-accurate",
            Scaled,
            "It is more accurate over all tasks (ACC)",
            "card 19, works when 3",
            "hlop/acc-gained",
            Bound::AtLeast(0.02),
            "the card's bar: two points",
        ),
        claim(
            "first-task-alike",
            Scaled,
            "The first task is learned alike with and without",
            "card 19, works when 3",
            "hlop/first-apart",
            Bound::AtMost(0.01),
            "the card's bar: one point",
        ),
        claim(
            "full-scale-accuracy",
            Scaled,
            "Ten tasks of 60,000 images, 800 hidden units, one pass each (ACC)",
            "card 19, claim 1 and works when 4",
            "hlop/acc",
            Bound::AtLeast(0.93),
            "the card's bar",
        ),
        claim(
            "full-scale-forgetting",
            Scaled,
            "The same (BWT)",
            "card 19, claim 1 and works when 4",
            "hlop/bwt",
            Bound::AtLeast(-0.03),
            "the card's bar",
        ),
        claim(
            "learned-rows-needed",
            Qualitative,
            "As many rows at random protect less (BWT)",
            "card 19, works when 5",
            "hlop/kept-by-learning",
            Bound::AtLeast(0.02),
            "the card's bar: two points",
        ),
        claim(
            "full-rank-blocks",
            Qualitative,
            "With as many rows as inputs a second task cannot be learned: the projection acts",
            "card 19, works when 5",
            "full-rank/second",
            Bound::AtMost(0.2),
            "near chance, which is .1",
        ),
        claim(
            "spiking-lateral",
            Scaled,
            "Lateral neurons that send spikes in 40 steps do nearly as well (ACC lost)",
            "card 19, claim 4 and works when 6",
            "spiking-lateral/acc-lost",
            Bound::AtMost(0.02),
            "the card's bar: two points",
        ),
        works(
            "through-time",
            "It works with training back through time",
            "bptt-hlop/kept",
        ),
        works(
            "forward-in-time",
            "It works with training forward in time",
            "ottt-hlop/kept",
        ),
        works(
            "random-feedback",
            "It works with fixed random feedback",
            "random-hlop/kept",
        ),
        works(
            "sign-feedback",
            "It works with feedback by the weights' signs",
            "sign-hlop/kept",
        ),
    ]
}
