//! What the paper claims, and the card's bars for it.

use chiasm_lab::ClaimKind::{Exact, Qualitative, Scaled};
use chiasm_lab::{Bound, ClaimSpec};

pub(super) fn all() -> Vec<ClaimSpec> {
    let mut all = exact();
    all.extend(network());
    all
}

fn exact() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    vec![
        claim(
            "cycles-closed-form",
            Exact,
            "Above k = 1 the prediction on one strong sample ends in the 2-cycle of the closed form, short of 1 by (k - 1) / 2k in the mean",
            "card 55, D and works when 1",
            "map/cycles-apart",
            Bound::AtMost(1e-9),
            "the card's bar, at k = 1.05, 1.1 and 1.2",
        ),
        claim(
            "rest-below-threshold",
            Exact,
            "At k = .9 it comes to rest at 1",
            "card 55, works when 1",
            "map/rest-apart",
            Bound::AtMost(1e-9),
            "the card's bar",
        ),
        claim(
            "cycle-lost",
            Exact,
            "At k = 1.3 its period is not two: distance over two steps",
            "card 55, works when 1",
            "map/two-steps-apart",
            Bound::AtLeast(1e-3),
            "chosen: far above rounding",
        ),
        claim(
            "bounded-to-the-end",
            Exact,
            "At k = 1.598 it stays within bounds for 200,000 steps: the highest",
            "card 55, works when 1",
            "map/highest",
            Bound::AtMost(1.6257),
            "the card's bar",
        ),
        claim(
            "positive-to-the-end",
            Exact,
            "and above 0: the lowest",
            "card 55, works when 1",
            "map/lowest",
            Bound::AtLeast(1e-12),
            "above 0, by more than rounding",
        ),
        claim(
            "dies-above",
            Exact,
            "At k = 1.6 filters die: the step",
            "card 55, works when 1",
            "map/death",
            Bound::AtMost(30.0),
            "chosen: the card saw 23",
        ),
        claim(
            "weak-growth",
            Exact,
            "The weak feature grows by 1 + q (1 - q) (k - 1) over a 2-cycle",
            "card 55, works when 2",
            "map/growth-apart",
            Bound::AtMost(1e-9),
            "the card's bar",
        ),
        claim(
            "sample-follows-map",
            Exact,
            "A network on one strong sample follows the map over 60 steps, up to k = 1.3: median of eight starts, at the worst step size",
            "card 55, works when 3",
            "one-sample/apart",
            Bound::AtMost(1e-12),
            "the card's bar: rounding",
        ),
        claim(
            "sample-follows-chaos",
            Exact,
            "and at k = 1.5, where chaos multiplies rounding",
            "card 55, works when 3",
            "one-sample/apart-chaos",
            Bound::AtMost(1e-5),
            "the card's bar",
        ),
        claim(
            "shortfall-linear",
            Exact,
            "Oscillation adds up: the sum of 1 - y f grows by (k - 1) / 2k in each step",
            "card 55, claim 1 (Eqs. 6 to 8)",
            "one-sample/drift-apart",
            Bound::AtMost(1e-9),
            "as close as the cycle",
        ),
    ]
}

fn network() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    vec![
        claim(
            "large-step-learns-weak",
            Exact,
            "A step of k = 1.3 learns the weak feature: accuracy on samples that have it alone",
            "card 55, claim 2 and works when 4",
            "steps/weak-large",
            Bound::AtLeast(0.93),
            "the card's bar",
        ),
        claim(
            "small-steps-do-not",
            Exact,
            "Steps below k = 1 do not: the same, the better of k = .1 and .9",
            "card 55, claim 2 and works when 4",
            "steps/weak-small",
            Bound::AtMost(0.80),
            "the card's bar",
        ),
        claim(
            "threshold-gap",
            Exact,
            "The gap between them",
            "card 55, works when 4",
            "steps/weak-gap",
            Bound::AtLeast(0.2),
            "the card's bar",
        ),
        claim(
            "strong-everywhere",
            Exact,
            "Samples with the strong feature are told at every step: the least accuracy of any draw",
            "card 55, claim 3 and works when 4",
            "steps/strong-least",
            Bound::AtLeast(0.99),
            "the card's bar",
        ),
        claim(
            "both-fit",
            Exact,
            "Both the large and the small step fit the samples they learn from: loss at the end",
            "card 55, claim 3 and works when 4",
            "steps/loss",
            Bound::AtMost(0.01),
            "the card's bar",
        ),
        claim(
            "total-gap",
            Scaled,
            "Total accuracy with an eighth of weak samples, large step less small",
            "card 55, claim 3",
            "steps/total-gap",
            Bound::AtLeast(0.03),
            "chosen: half the gap that the paper reports",
        )
        .printed("5.6 points (99.38 % against 93.75 %)"),
        claim(
            "weak-projection-grows",
            Exact,
            "The largest weak projection of the sign without a weak sample grows by a large step: over its start",
            "card 55, works when 5",
            "steps/growth-large",
            Bound::AtLeast(100.0),
            "the card's bar",
        ),
        claim(
            "weak-projection-stays",
            Exact,
            "and stays by a small one",
            "card 55, claim 2 (Proposition 6) and works when 5",
            "steps/growth-small",
            Bound::AtMost(10.0),
            "the card's bar",
        ),
        claim(
            "no-feature-chance",
            Exact,
            "Without the weak feature accuracy is chance at either step: distance from one half",
            "card 55, works when 6",
            "no-feature/apart",
            Bound::AtMost(0.05),
            "the card's bar",
        ),
        claim(
            "no-weak-sample-small",
            Exact,
            "Without a weak sample to learn from a small step tells weak samples hardly: accuracy",
            "card 55, works when 6",
            "no-weak-sample/small",
            Bound::Within {
                value: 0.575,
                tolerance: 0.075,
            },
            "the card's bar: .50 to .65",
        ),
        claim(
            "no-weak-sample-large",
            Exact,
            "and a step of k = 1.4 tells them all",
            "card 55, works when 6",
            "no-weak-sample/large",
            Bound::AtLeast(0.99),
            "the card's bar",
        ),
        claim(
            "decay-keeps-weak",
            Qualitative,
            "A large step for half of the passes and a small one after them keeps what was learned: accuracy on weak samples, above that of small steps alone",
            "card 55, E",
            "decay/gained",
            Bound::AtLeast(0.1),
            "chosen: half the gap that is asked for between the steps",
        ),
    ]
}
