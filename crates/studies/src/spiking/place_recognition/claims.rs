//! What the paper claims, and what was measured for it with independent code.

use chiasm_lab::ClaimKind::{Exact, Qualitative, Scaled};
use chiasm_lab::{Bound, ClaimSpec};

/// Asks for images that are not to be had.
pub(super) const REAL_ROUTES: &str = "real-routes";
/// Asks for the single module.
pub(super) const SPLITTING: &str = "splitting-helps";

pub(super) fn all() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    let within = |value: f64, tolerance: f64| Bound::Within { value, tolerance };
    vec![
        claim(
            "labels-learned",
            Scaled,
            "The neurons' labels classify the presentations that gave them (mean over modules)",
            "card 44, works when 1: 280 to 293 of 300; the authors' stored module: 592 of 600",
            "modules/recall",
            Bound::AtLeast(0.9),
            "the card's bar",
        ),
        claim(
            "thresholds-risen",
            Scaled,
            "Thresholds settle where the authors' do, at 38.8 to 42.2 mV (mean over neurons)",
            "stored module; card 44, works when 1",
            "modules/theta",
            within(39.0, 3.0),
            "the card's bar: 36 to 42 mV",
        ),
        claim(
            "few-neurons",
            Scaled,
            "A few neurons respond to an image (mean over the labeling presentations; stored module: 5.25)",
            "card 44, works when 1",
            "modules/active",
            within(8.0, 4.0),
            "the card's bar: 4 to 12",
        ),
        claim(
            "few-spikes",
            Scaled,
            "They spike a few times (stored module: 17.1)",
            "card 44, works when 1",
            "modules/spikes",
            within(26.0, 14.0),
            "the card's bar: 12 to 40",
        ),
        claim(
            "own-places",
            Scaled,
            "A module recognizes its own 25 places in another light (recall at 1, mean over modules; chance is 0.04)",
            "card 44, works when 2: 0.65",
            "own/recall",
            Bound::AtLeast(0.55),
            "the card's bar",
        ),
        claim(
            "silencing-helps",
            Scaled,
            "Silencing hyperactive neurons raises the ensemble's recall at 1, by a threshold chosen on other places",
            "abstract and section on regularization; card 44, works when 3: by 0.06 to 0.08",
            "silencing/gain",
            Bound::AtLeast(0.04),
            "the card's bar",
        ),
        claim(
            "silencing-too-many-hurts",
            Qualitative,
            "Silencing all that respond to 5 reference images or more is worse than silencing nobody",
            "card 44, works when 3: at 6 and below 0.14 to 0.23 against 0.27",
            "silencing/gain-at-5",
            Bound::AtMost(0.0),
            "the card's direction",
        ),
        claim(
            SPLITTING,
            Qualitative,
            "The ensemble recognizes more places than a single module that learned all of them",
            "abstract: 27 times as many places as a network that is not split",
            "splitting/gain",
            Bound::AtLeast(0.0),
            "no less: at 4 modules the paper's gain in size is not reached",
        ),
        claim(
            "nobody-silenced",
            Exact,
            "A threshold above all counts leaves every response as it is (queries that differ)",
            "card 44, works when 3",
            "silencing/differing",
            Bound::AtMost(0.0),
            "bit for bit",
        ),
        claim(
            "all-silenced",
            Exact,
            "A threshold of 1 silences all who respond and is refused",
            "card 44, works when 3",
            "silencing/one-is-refused",
            Bound::AtLeast(1.0),
            "an error, not silence",
        ),
        claim(
            "seven-spikes",
            Exact,
            "The least interval of 50 ms leaves a neuron 7 spikes in 350 ms at most",
            "authors' stored counts; card 44, works when 4",
            "most-spikes",
            Bound::AtMost(7.0),
            "follows from the interval",
        ),
        claim(
            "order-of-modules",
            Exact,
            "Modules in another order give every place the same response (queries that differ)",
            "card 44, works when 6",
            "order/differing",
            Bound::AtMost(0.0),
            "bit for bit",
        ),
        claim(
            "module-size",
            Exact,
            "A module of the paper's size has 473,600 synapses",
            "follow-up of the same group: about 1,500 neurons and 474 k synapses",
            "paper-module/synapses",
            within(473_600.0, 0.0),
            "784 x 400 + 400 + 400 x 399",
        ),
        claim(
            REAL_ROUTES,
            Qualitative,
            "Competitive with NetVLAD, DenseVLAD and SAD on Nordland and Oxford RobotCar",
            "tables of the paper; percentages not verified",
            "nordland/recall",
            Bound::AtLeast(1.0),
            "not tested",
        ),
    ]
}
