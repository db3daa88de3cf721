//! What the paper claims, with the card's bars.

use chiasm_lab::ClaimKind::{Exact, Qualitative, Scaled};
use chiasm_lab::{Bound, ClaimSpec};

/// Claims about reference values of one setting.
pub(super) const REFERENCE: [&str; 2] = ["spectrum-reference", "exact-spectrum-reference"];

/// Claims about layers trained one after the other.
pub(super) const LAYERWISE: [&str; 2] = ["layers-collapse", "layers-monotone"];
/// Claims about changed weight decay.
pub(super) const DECAY: [&str; 3] = [
    "feature-decay-matters-more",
    "no-feature-decay-raises",
    "more-feature-decay-lowers",
];

pub(super) fn all() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    let none = Bound::AtMost(0.0);
    vec![
        claim(
            "minimum-stationary",
            Exact,
            "The collapsed features and classifier of the closed form are stationary: largest entry of the gradient, over five random settings",
            "Thm 2.1; card 22, works when 1",
            "minimum/gradient",
            Bound::AtMost(1e-12),
            "the card's bar",
        ),
        claim(
            "minimum-value",
            Exact,
            "The objective there is c - c^2/2 (largest deviation)",
            "card 22, B and works when 1",
            "minimum/value-error",
            Bound::AtMost(1e-12),
            "the card's bar",
        ),
        claim(
            "nothing-learned-above-threshold",
            Exact,
            "Where c is above 1 the search ends at zero: largest entry of classifier and features",
            "Thm 2.1; card 22, works when 1",
            "minimum/above-threshold",
            Bound::AtMost(1e-9),
            "zero, up to where the gradient falls below 1e-12",
        ),
        claim(
            "spectrum-at-collapse",
            Exact,
            "Singular values of the perturbation's blocks at collapse are those of the closed form, with their multiplicities (largest deviation)",
            "Thm 4.2; card 22, G and works when 2",
            "spectrum/deviation",
            Bound::AtMost(1e-10),
            "the card's bar",
        ),
        claim(
            "spectrum-reference",
            Exact,
            "They are the reference values of an independent computation: smallest .9981196984534, between classes .00073408520515 (largest deviation)",
            "card 22, works when 2",
            "spectrum/reference-deviation",
            Bound::AtMost(1e-10),
            "the card's bar",
        ),
        claim(
            "exact-spectrum-reference",
            Exact,
            "The same of the exact operator: .9981232274 and .0007330090 (largest deviation)",
            "card 22, works when 2",
            "spectrum/exact-deviation",
            Bound::AtMost(1e-10),
            "rounding of the reference",
        ),
        claim(
            "derivative",
            Exact,
            "The exact operator is the derivative of the minimum by the features given: relative error of a finite difference of 1e-6",
            "Thm 4.1; card 22, works when 3",
            "derivative/error",
            Bound::AtMost(1e-4),
            "the card's bar",
        ),
        claim(
            "derivative-first-order",
            Exact,
            "Half the difference has half the error (ratio of the errors)",
            "card 22, works when 3",
            "derivative/halving",
            Bound::Within {
                value: 2.0,
                tolerance: 0.1,
            },
            "two at first order; the tolerance is chosen",
        ),
        claim(
            "flow-monotone",
            Exact,
            "Along the flow NC1~ and the weighed scatter within classes fall and that between them rises, at every step (steps at which one does not)",
            "Thm 3.1; card 22, works when 4",
            "flow/violations",
            none,
            "at every step",
        ),
        claim(
            "minimum-less-scattered",
            Exact,
            "NC1~ of the minimum is below that of the features given, the more so the weaker the spring (springs at which it is not)",
            "Cor. 3.2; card 22, works when 4",
            "springs/violations",
            none,
            "at every spring",
        ),
        claim(
            "feature-decay-damps",
            Qualitative,
            "Twice the feature decay damps deviations within a class more (ratio of the mean damping)",
            "Figure 1; card 22, claim 3",
            "damping/feature-decay",
            Bound::AtLeast(1.0),
            "more than before",
        ),
        claim(
            "head-decay-weakens-cross-talk",
            Qualitative,
            "Twice the classifier's decay weakens what passes between classes (ratio of the singular values)",
            "Figure 1; card 22, claim 3",
            "damping/cross-talk-by-head-decay",
            Bound::AtMost(1.0),
            "less than before",
        ),
        claim(
            "head-decay-does-not-damp",
            Qualitative,
            "and does not damp deviations within a class more (ratio of the mean damping)",
            "Figure 1; card 22, claim 3",
            "damping/head-decay",
            Bound::AtMost(1.0),
            "not more than before",
        ),
        claim(
            "layers-collapse",
            Scaled,
            "Trained layer by layer, features collapse with depth: NC1~ of the last layer over that of the first",
            "Figure 2; card 22, claim 4 and works when 5",
            "layerwise/last-over-first",
            Bound::AtMost(0.5),
            "the card's bar, chosen and untried",
        ),
        claim(
            "layers-monotone",
            Scaled,
            "from layer to layer (layers whose NC1~ is above that of the one before)",
            "Figure 2; card 22, claim 4 and works when 5",
            "layerwise/inversions",
            Bound::AtMost(1.0),
            "the card's bar: up to one",
        ),
        claim(
            "feature-decay-matters-more",
            Scaled,
            "Changing the weight decay of the features moves NC1 more than changing that of the head, whether doubled or set to zero (of five networks)",
            "Figure 3; card 22, claim 5 and works when 6",
            "decay/features-over-head",
            Bound::AtLeast(4.0),
            "the card's bar, chosen and untried",
        ),
        claim(
            "no-feature-decay-raises",
            Scaled,
            "Without decay of the features NC1 is higher (of five networks)",
            "Figure 3; card 22, claim 5 and works when 6",
            "decay/zero-raises",
            Bound::AtLeast(4.0),
            "as many as above",
        ),
        claim(
            "more-feature-decay-lowers",
            Scaled,
            "with twice of it lower (of five networks)",
            "Figure 3; card 22, claim 5 and works when 6",
            "decay/double-lowers",
            Bound::AtLeast(4.0),
            "as many as above",
        ),
    ]
}
