//! What the paper claims, and the card's bars for it. The paper's own error bars could not be verified and are not printed.

use chiasm_lab::ClaimKind::{Exact, Qualitative, Scaled};
use chiasm_lab::{Bound, ClaimSpec};

/// Claims about one depth of the pathways or of the matrices, and that depth.
pub(super) const AT_DEPTH: [(&str, usize); 8] = [
    ("early-owned", 4),
    ("middle-divides", 4),
    ("late-shared", 4),
    ("modes-learned", 4),
    ("depth-one-flat", 1),
    ("depth-two-rises", 2),
    ("depth-three-rises", 3),
    ("depth-three-transfers", 3),
];

/// Whether a claim's depth is one of the matrices.
pub(super) fn of_matrices(id: &str) -> bool {
    id.starts_with("depth-")
}

pub(super) fn all() -> Vec<ClaimSpec> {
    let mut all = paths();
    all.extend(matrices());
    all
}

fn paths() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    let alike = |id, statement, metric| {
        claim(
            id,
            Scaled,
            statement,
            "card 24, claim 5",
            metric,
            Bound::AtLeast(0.5),
            "chosen: half of all the damage there can be",
        )
    };
    vec![
        claim(
            "descent-is-the-reduction",
            Exact,
            "Gradient descent in two pathways is the reduced dynamics, at every depth and deficit: largest distance of a strength",
            "card 24, claim 1 and works when 1",
            "paths/deviation",
            Bound::AtMost(1e-12),
            "the card's bar: rounding alone",
        ),
        claim(
            "early-owned",
            Exact,
            "After an early deficit the open pathway owns every feature: distance of its shares of modes 1 to 5 from the card's",
            "card 24, claim 2 and works when 1",
            "paths/early-apart",
            Bound::AtMost(0.01),
            "the card's bar: .997, .994, .983, .983, .935, each within .01",
        ),
        claim(
            "middle-divides",
            Exact,
            "A deficit in the middle leaves the modes learned before it shared and not the later ones: the same",
            "card 24, works when 1",
            "paths/middle-apart",
            Bound::AtMost(0.01),
            "the card's bar: .5 four times and .77, each within .01",
        ),
        claim(
            "late-shared",
            Exact,
            "After a late deficit the pathways share everything: the same",
            "card 24, claim 2 and works when 1",
            "paths/late-apart",
            Bound::AtMost(0.01),
            "the card's bar: .5, within .01",
        ),
        claim(
            "modes-learned",
            Exact,
            "Strengths of both pathways add up to the singular value in spite of a deficit",
            "card 24, works when 1",
            "paths/sum-apart",
            Bound::AtMost(5e-4),
            "the card's bar: to three decimals",
        ),
        claim(
            "deeper-longer",
            Qualitative,
            "Deeper pathways stay open to damage for longer: damage by the deficit in the middle, deepest less shallowest",
            "card 24, claim 2",
            "paths/middle-deeper",
            Bound::AtLeast(0.1),
            "chosen: a tenth of all the damage there can be",
        ),
        claim(
            "small-starts",
            Exact,
            "From a small start and a gate of five steps strengths end where the card has them, at depths 2, 3 and 4",
            "card 24, works when 2",
            "portraits/small-apart",
            Bound::AtMost(1e-3),
            "the card's bar",
        ),
        claim(
            "late-gate-no-trace",
            Exact,
            "A gate of 10,000 steps after learning leaves no difference between the pathways",
            "card 24, claim 2",
            "portraits/small-late",
            Bound::AtMost(1e-3),
            "the same bar",
        ),
        claim(
            "unbalanced-deeper",
            Qualitative,
            "From unbalanced starts too an early gate gives the open pathway more of the mode in deeper nets: its share at depth 13 less that at depth 2",
            "card 24, claim 2",
            "portraits/deeper",
            Bound::AtLeast(0.2),
            "chosen: a fifth of the mode",
        ),
        claim(
            "conserved",
            Exact,
            "What continuous time conserves drifts by no more than its solver",
            "card 24, works when 3",
            "exact/drift",
            Bound::AtMost(1e-8),
            "the card's bar",
        ),
        claim(
            "exponential-ratio",
            Exact,
            "At depth 2 an early deficit leaves strengths in the ratio exp(2 S tau): distance, relative",
            "card 24, works when 3",
            "exact/ratio-apart",
            Bound::AtMost(0.01),
            "the card's bar",
        ),
        claim(
            "early-gap",
            Exact,
            "At depths 3 and 4 it leaves the conserved quantity at -(D-2) S tau: distance, relative",
            "card 24, B",
            "exact/gap-apart",
            Bound::AtMost(0.01),
            "chosen: as at depth 2",
        ),
        claim(
            "freed-mode-waits",
            Exact,
            "A mode that one pathway lacks is not learned by the other while its gate is closed: its strength then, over S",
            "card 24, claim 3",
            "lesion/at-opening",
            Bound::AtMost(0.05),
            "chosen: its start is .004 of S",
        ),
        claim(
            "freed-mode-taken",
            Exact,
            "and is taken by it after the gate has opened: at the end, over S",
            "card 24, claim 3",
            "lesion/at-end",
            Bound::AtLeast(0.95),
            "chosen: all but a twentieth",
        ),
        alike(
            "tanh-alike",
            "Pathways of tanh units behave alike: damage by the early deficit less that by the late one",
            "tanh/early-less-late",
        ),
        alike(
            "relu-alike",
            "Pathways of rectified units behave alike: the same",
            "relu/early-less-late",
        ),
    ]
}

fn matrices() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    let worse = |id, statement, metric| {
        claim(
            id,
            Qualitative,
            statement,
            "card 24, claim 4",
            metric,
            Bound::AtLeast(0.05),
            "chosen: a twentieth of the matrix's mean square, more at one end of the sweep than at the other",
        )
    };
    vec![
        claim(
            "depth-one-flat",
            Exact,
            "A single matrix has no critical period: spread of the error over switches, relative",
            "card 24, claim 4 and works when 4",
            "depth-1/spread",
            Bound::AtMost(0.01),
            "the card's bar",
        ),
        claim(
            "depth-two-rises",
            Exact,
            "Two matrices transfer worse the longer the first task lasted: error after the latest switch over that without a first task",
            "card 24, claim 4 and works when 4",
            "depth-2/rise",
            Bound::AtLeast(5.0),
            "the card's bar, for matrices of side 100",
        ),
        claim(
            "depth-three-rises",
            Exact,
            "Three matrices transfer worse still: the same",
            "card 24, claim 4 and works when 4",
            "depth-3/rise",
            Bound::AtLeast(100.0),
            "the card's bar, for matrices of side 100",
        ),
        claim(
            "depth-three-transfers",
            Exact,
            "Without a first task three matrices complete the second: error",
            "card 24, works when 4",
            "depth-3/first",
            Bound::AtMost(0.002),
            "the card's bar, for matrices of side 100",
        ),
        worse(
            "rank-worsens",
            "A first matrix of larger rank does more harm",
            "sweep/rank",
        ),
        worse(
            "few-observations-worsen",
            "With fewer observations it does more harm",
            "sweep/observed",
        ),
        worse(
            "small-starts-worsen",
            "From smaller starts it does more harm",
            "sweep/init",
        ),
        claim(
            "values-flow",
            Exact,
            "Singular values move by their flow: distance of ds/dt from finite differences of descent, relative, at a step of 1e-4",
            "card 24, works when 5",
            "flow/relative",
            Bound::AtMost(1e-3),
            "the card's bar",
        ),
        claim(
            "gap-closes",
            Exact,
            "The gap closes linearly with the step: gap at 1e-3 over that at 1e-4",
            "card 24, works when 5",
            "flow/gap-ratio",
            Bound::Within {
                value: 10.0,
                tolerance: 1.0,
            },
            "ten, where the next order is small",
        ),
    ]
}
