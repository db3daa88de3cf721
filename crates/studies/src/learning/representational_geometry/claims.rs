//! What the paper claims, and the card's bars for it. The paper's own figures could not be verified; the card's reference
//! values are a run of other code.

use chiasm_lab::ClaimKind::{Exact, Qualitative, Scaled};
use chiasm_lab::{Bound, ClaimSpec};

/// Claims that need the card's reference cells.
pub(super) const REFERENCE: [&str; 5] = [
    "tanh-targets-one-label",
    "tanh-targets-five-labels",
    "relu-inputs",
    "all-learned",
    "nets-agree",
];

pub(super) fn all() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    vec![
        claim(
            "alignment-exact",
            Exact,
            "Inputs and labels of the generated tasks agree exactly as asked (largest deviation over all cells)",
            "card 23, works when 1",
            "task/deviation",
            Bound::AtMost(1e-10),
            "the card's bar: rounding",
        ),
        claim(
            "tanh-targets-one-label",
            Scaled,
            "With one label, the hidden code of Tanh agrees better with the labels than that of ReLU (least difference over \
             the cells)",
            "claim 1; card 23, works when 3",
            "gap/target/one-label",
            Bound::AtLeast(0.03),
            "the card's bar; its run gave 0.049 to 0.069",
        ),
        claim(
            "tanh-targets-five-labels",
            Scaled,
            "and with five labels",
            "claim 1; card 23, works when 3",
            "gap/target/five-labels",
            Bound::AtLeast(0.08),
            "the card's bar; its run gave 0.107 and 0.170",
        ),
        claim(
            "relu-inputs",
            Scaled,
            "The hidden code of ReLU agrees better with the inputs than that of Tanh (least difference over all cells)",
            "claim 1; card 23, works when 3",
            "gap/input",
            Bound::AtLeast(0.1),
            "the card's bar; its run gave 0.126 to 0.200",
        ),
        claim(
            "all-learned",
            Scaled,
            "Both learn all tasks (least mean accuracy on new samples)",
            "card 23, works when 3",
            "accuracy/least",
            Bound::AtLeast(0.98),
            "the card's bar",
        ),
        claim(
            "nets-agree",
            Scaled,
            "Networks of one kind agree in their alignments (largest range over cells and kinds)",
            "card 23, works when 3",
            "spread/largest",
            Bound::AtMost(0.03),
            "the card's bar",
        ),
        claim(
            "inside-the-arc",
            Exact,
            "No code agrees better with inputs and labels than the arc between the two allows (largest excess)",
            "card 23, D",
            "arc/excess",
            Bound::AtMost(1e-6),
            "a theorem: angles add up; activity is in single precision",
        ),
        claim(
            "tanh-parallel",
            Qualitative,
            "With one label, Tanh codes it in more parallel ways (mean difference of parallelism over the cells)",
            "claim 2",
            "gap/parallelism",
            Bound::AtLeast(0.05),
            "chosen: clearly above the spread between networks",
        ),
        claim(
            "tanh-generalizes",
            Qualitative,
            "and a readout of it carries over to new conditions at least as well (mean difference)",
            "claim 2",
            "gap/ccgp",
            Bound::AtLeast(0.0),
            "chosen: as well or better; both can be perfect",
        ),
        claim(
            "relu-keeps-the-rest",
            Qualitative,
            "With one label, dichotomies that were not trained are told better from ReLU (mean difference of accuracy)",
            "claim 2",
            "gap/untrained",
            Bound::AtLeast(0.02),
            "chosen: two points",
        ),
        claim(
            "relu-fills-more-dimensions",
            Qualitative,
            "With one label, the code of ReLU has the larger dimension (least ratio of participation ratios over the cells)",
            "claim 2",
            "ratio/dimension",
            Bound::AtLeast(1.1),
            "chosen: a tenth more",
        ),
        claim(
            "ceilings-make-relu-like-tanh",
            Qualitative,
            "The lower the ceiling on ReLU, the better its code agrees with the labels (Spearman correlation with how low it \
             is)",
            "claim 5; card 23, works when 4",
            "caps/spearman",
            Bound::AtLeast(0.8),
            "the card's bar, chosen and not run there",
        ),
        claim(
            "lifting-makes-tanh-like-relu",
            Qualitative,
            "A clipped identity agrees less with the labels when its ceiling is lifted (at the lowest less at the highest)",
            "claim 5",
            "lifts/lost",
            Bound::AtLeast(0.02),
            "chosen: above half the spread between networks",
        ),
        claim(
            "xor-gap-needs-separability",
            Qualitative,
            "On XOR the gap between Tanh and ReLU in agreement with the labels is wider where a linear readout tells them \
             (at the largest nudge less at none)",
            "claim 3; card 23, works when 5",
            "xor/gap-gained",
            Bound::AtLeast(0.0),
            "the card's bar, chosen",
        ),
        claim(
            "every-layer",
            Qualitative,
            "In deeper networks it holds in every hidden layer (least difference in agreement with the labels)",
            "claim 6; networks of few layers",
            "deep/least-gap",
            Bound::AtLeast(0.0),
            "chosen: the sign alone",
        ),
        claim(
            "field-is-the-gradient",
            Exact,
            "At outputs of 1/2 the formula for where weights are pushed is the gradient of the loss (largest deviation from \
             differences)",
            "card 23, E and works when 6",
            "field/deviation",
            Bound::AtMost(1e-6),
            "the card's bar",
        ),
        claim(
            "relu-units-specialize",
            Qualitative,
            "While input weights are trained, more ReLU units come to be active in a single cluster (share at the end less \
             at the start)",
            "claim 4; card 23, works when 6",
            "specialists/relu-gained",
            Bound::AtLeast(0.05),
            "chosen: one unit in twenty",
        ),
        claim(
            "tanh-units-do-not",
            Qualitative,
            "and of Tanh at most half as many are (share of Tanh over share of ReLU, at the end)",
            "claim 4; card 23, works when 6",
            "specialists/tanh-over-relu",
            Bound::AtMost(0.5),
            "the card's bar, chosen",
        ),
    ]
}
