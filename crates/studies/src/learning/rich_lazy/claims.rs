//! What the paper claims, and the card's bars for it. The paper's own figures could not be verified; the card's reference
//! values are a run of other code.

use chiasm_lab::ClaimKind::{Exact, Qualitative, Scaled};
use chiasm_lab::{Bound, ClaimSpec};

/// Bars for decisions between two alternatives with 300 units and 4,000 steps.
pub(super) const REFERENCE: [&str; 4] = [
    "low-rank-moves-weights",
    "low-rank-turns-the-kernel",
    "full-rank-keeps-its-code",
    "same-loss",
];

pub(super) fn all() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    vec![
        claim(
            "descent-as-in-theory",
            Exact,
            "From a small start, descent turns the tangent kernel of a two-layer linear network as the formula says (largest \
             deviation over targets and ranks)",
            "theorem 1, as derived in card 17, F; works when 1",
            "theory/error",
            Bound::AtMost(1e-6),
            "the card's bar",
        ),
        claim(
            "mean-as-in-theory",
            Exact,
            "and its mean over random targets is that of the theorem, for every rank (largest relative deviation)",
            "theorem 1; card 17, works when 1",
            "theory/mean-deviation",
            Bound::AtMost(0.005),
            "the card's bar, for 1,000 targets or more",
        ),
        claim(
            "small-starts-are-quadratic",
            Exact,
            "A start ten times as large is about a hundred times as far from the theory",
            "card 17, works when 1",
            "theory/error-of-ten",
            Bound::Within {
                value: 100.0,
                tolerance: 50.0,
            },
            "the card says about 100; half of it either way",
        ),
        claim(
            "higher-rank-is-lazier-in-theory",
            Exact,
            "The higher the rank, the less the kernel turns (least step between neighboring ranks)",
            "claim 1",
            "theory/least-step",
            Bound::AtLeast(0.0),
            "an order",
        ),
        claim(
            "aligned-stays",
            Exact,
            "A balanced start of rank one that is aligned with its task never turns (distance of the least alignment from 1)",
            "proposition 1; card 17, works when 2",
            "theory/aligned-distance",
            Bound::AtMost(1e-12),
            "the card's bar",
        ),
        claim(
            "misaligned-does-not",
            Exact,
            "and one that points elsewhere does (mean alignment)",
            "claim 2",
            "theory/misaligned",
            Bound::AtMost(0.97),
            "its mean over directions is (d + 2 + 1/d) / (d + 3), .931 at d = 10",
        ),
        claim(
            "strong-features-make-low-rank-lazy",
            Qualitative,
            "The stronger the strong features, the less a start of these alone turns the kernel (at the strongest less at \
             none)",
            "claim 5, figure 3",
            "theory/partial-gained",
            Bound::AtLeast(0.05),
            "chosen: a twentieth of the whole alignment",
        ),
        claim(
            "norms-equal",
            Exact,
            "All starts of one network have the same norm (largest relative deviation)",
            "card 17, works when 5",
            "starts/norm-deviation",
            Bound::AtMost(1e-12),
            "the card's bar",
        ),
        claim(
            "ranks-as-asked",
            Exact,
            "and the rank that was asked for (largest deviation)",
            "card 17, works when 5",
            "starts/rank-deviation",
            Bound::AtMost(0.0),
            "whole numbers",
        ),
        claim(
            "low-rank-moves-weights",
            Scaled,
            "On decisions between two alternatives a start of rank 1 changes its weights more (its change over that of full \
             rank)",
            "claim 3, figure 1; card 17, works when 4",
            "two-alternatives/weights-ratio",
            Bound::AtLeast(1.2),
            "the card's bar; its run gave 1.34",
        ),
        claim(
            "low-rank-turns-the-kernel",
            Scaled,
            "and turns its tangent kernel more (alignment at full rank less at rank 1)",
            "claim 3, figure 1; card 17, works when 4",
            "two-alternatives/kernel-gap",
            Bound::AtLeast(0.15),
            "the card's bar; its run gave 0.35",
        ),
        claim(
            "full-rank-keeps-its-code",
            Scaled,
            "while full rank keeps its hidden code and rank 1 does not (the distance of 0.97 from the nearer of the two, below \
             0 where it lies not between them)",
            "claim 3, figure 1; card 17, works when 4",
            "two-alternatives/code-margin",
            Bound::AtLeast(0.0),
            "the card's bar: alignment of at least 0.97 at full rank, less at rank 1; its run gave 0.99 and 0.77",
        ),
        claim(
            "same-loss",
            Scaled,
            "at comparable losses (range over ranks, over their mean)",
            "claim 3; card 17, works when 4",
            "two-alternatives/loss-range",
            Bound::AtMost(0.1),
            "the card's bar",
        ),
        claim(
            "every-network",
            Scaled,
            "In every network rank 1 has the least alignment of codes and kernels of all ranks (share of networks)",
            "card 17, works when 4",
            "two-alternatives/every",
            Bound::AtLeast(1.0),
            "seen in all three networks of the card's run",
        ),
        claim(
            "match-alike",
            Scaled,
            "So it is in delayed matching: mean alignment of kernels at full rank less at the lowest",
            "claim 3, figure 1",
            "delayed-match/kernel-gap",
            Bound::AtLeast(0.0),
            "chosen: the sign",
        ),
        claim(
            "context-alike",
            Scaled,
            "in decisions by context",
            "claim 3, figure 1",
            "context/kernel-gap",
            Bound::AtLeast(0.0),
            "chosen: the sign",
        ),
        claim(
            "digits-alike",
            Scaled,
            "and in digits read row by row",
            "claim 3, figure 1",
            "digits/kernel-gap",
            Bound::AtLeast(0.0),
            "chosen: the sign",
        ),
        claim(
            "structure-learns-richer",
            Qualitative,
            "Structured starts of lower effective rank turn the tangent kernel more than Gaussian ones of the same norm (share \
             of the structures)",
            "claim 4, figure 2; structures chosen, the paper's were not seen",
            "structured/richer",
            Bound::AtLeast(1.0),
            "all of them",
        ),
        claim(
            "connectome-learns-richer",
            Qualitative,
            "and so does the worm's connectome (Gaussian alignment less its own)",
            "claim 4, figure 2; here on the worm, with signs drawn",
            "connectome/kernel-gap",
            Bound::AtLeast(0.0),
            "chosen: the sign",
        ),
    ]
}
