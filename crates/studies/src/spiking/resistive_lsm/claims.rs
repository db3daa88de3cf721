//! What the paper claims, and what its card measured with independent code.

use chiasm_lab::ClaimKind::{Exact, Qualitative, Scaled};
use chiasm_lab::{Bound, ClaimSpec};

/// Claims about data that are not to be had.
pub(super) const ABSENT: [&str; 2] = ["n-mnist", "n-tidigits"];
/// Claims whose bars are those of MNIST's images.
pub(super) const OF_MNIST: [&str; 5] = [
    "better-than-events",
    "larger-is-better",
    "recurrence-adds-nothing",
    "too-much-recurrence-hurts",
    "noise-costs-little",
];
/// Claims whose bars are those of spoken digits.
pub(super) const OF_FSDD: [&str; 2] = ["sounds-read-out", "sounds-better-than-bands"];
/// Claims whose bars are those of both.
pub(super) const OF_BOTH: [&str; 5] = [
    "in-class",
    "in-class-above-untrained",
    "zero-shot-above-chance",
    "zero-shot-is-significant",
    "chip-as-software",
];

pub(super) fn all() -> Vec<ClaimSpec> {
    let claim = ClaimSpec::new;
    let exactly = |value: f64| Bound::Within {
        value,
        tolerance: 0.0,
    };
    vec![
        claim(
            "better-than-events",
            Scaled,
            "Counts of 200 frozen neurons tell more of an image to a linear readout than counts of its events do (accuracy \
             gained)",
            "card 32, works when 1: 86.1 against 84.0 %",
            "vision/gain-small",
            Bound::AtLeast(0.01),
            "the card's bar",
        ),
        claim(
            "larger-is-better",
            Scaled,
            "600 neurons tell more than that (accuracy gained over the events)",
            "card 32, works when 1: 90.4 against 84.0 %",
            "vision/gain-large",
            Bound::AtLeast(0.05),
            "the card's bar",
        ),
        claim(
            "too-much-recurrence-hurts",
            Scaled,
            "Recurrent weights as strong as those of inputs drown the events (accuracy lost)",
            "card 32, works when 1",
            "vision/loss-strong",
            Bound::AtLeast(0.03),
            "the card's bar",
        ),
        claim(
            "recurrence-adds-nothing",
            Qualitative,
            "With weak recurrence the readout does not do better than with none (accuracy gained by recurrence)",
            "card 32, pitfalls: 86.1 with, 86.4 % without",
            "vision/gain-recurrence",
            Bound::AtMost(0.01),
            "the card's finding; a point is about one standard error of the difference",
        ),
        claim(
            "noise-costs-little",
            Scaled,
            "Read noise of 5 % on every cell and a converter of 8 bits lose next to nothing (accuracy lost against the quiet \
             chip)",
            "card 32, works when 4",
            "vision/loss-noise",
            Bound::AtMost(0.015),
            "the card's bar",
        ),
        claim(
            "sounds-read-out",
            Scaled,
            "A linear readout of 200 frozen neurons recognizes spoken digits (accuracy)",
            "card 32, works when 2",
            "audio/accuracy",
            Bound::AtLeast(0.75),
            "the card's bar, chosen and not tried there",
        ),
        claim(
            "sounds-better-than-bands",
            Scaled,
            "They tell more of a sound than counts of its events do (accuracy gained)",
            "card 32, works when 2",
            "audio/gain",
            Bound::AtLeast(0.03),
            "the card's bar, chosen and not tried there",
        ),
        claim(
            "in-class",
            Scaled,
            "Of 700 images the one most similar to a spoken digit shows that digit (digits 1 to 7, chance 1/7)",
            "table of audio-visual results; card 32, works when 3",
            "cross/in-class",
            Bound::AtLeast(0.45),
            "the card's bar",
        )
        .printed("66.1 % (N-MNIST and N-TIDIGITS, test-selected)"),
        claim(
            "in-class-above-untrained",
            Scaled,
            "That is the doing of the training: so many times more often than with untrained projections",
            "card 32, works when 3",
            "cross/above-untrained",
            Bound::AtLeast(3.0),
            "the card's bar",
        ),
        claim(
            "zero-shot-above-chance",
            Scaled,
            "Two digits that were held out of training are told apart across modalities (mean over pairs of digits; chance 0.5)",
            "table of audio-visual results, digits 8 and 9 alone; card 32, works when 3",
            "cross/zero-shot",
            Bound::AtLeast(0.5),
            "chance; the paper's figure is of one pair, chosen by the test",
        )
        .printed("88.0 % (8 against 9, test-selected)"),
        claim(
            "zero-shot-is-significant",
            Scaled,
            "More pairs of held-out digits lie above chance than chance itself would put there (p of the two-sided sign test over \
             pairs; 1 where most lie below)",
            "card 32, works when 3",
            "cross/zero-shot-p",
            Bound::AtMost(0.05),
            "the card's bar",
        ),
        claim(
            "chip-as-software",
            Scaled,
            "Memristors with noise do as well as normal weights at the images' readout (accuracy lost)",
            "tables of software and chip: 89.11 and 89.66 %",
            "vision/loss-chip",
            Bound::AtMost(0.01),
            "the paper's: less than a point",
        ),
        claim(
            "no-memory",
            Exact,
            "Without recurrence and decay a count is the number of steps above threshold (counts that differ)",
            "card 32, works when 5",
            "identity/no-memory",
            exactly(0.0),
            "an identity: exact",
        ),
        claim(
            "scale-free",
            Exact,
            "Weights and threshold times the same factor leave every spike (counts that differ)",
            "card 32, works when 5",
            "identity/scaled",
            exactly(0.0),
            "an identity: exact for powers of two",
        ),
        claim(
            "loss-known",
            Exact,
            "The loss of B orthonormal vectors with themselves is ln(1 + (B - 1) exp(-1/tau)) (greatest error)",
            "card 32, works when 5",
            "identity/loss-error",
            Bound::AtMost(1e-9),
            "an identity, up to rounding",
        ),
        claim(
            "cheap-to-train",
            Scaled,
            "Back-propagation through recurrent networks of the same size takes many times more multiply-accumulates than \
             training the projections",
            "abstract; card 32, works when 6",
            "cost/ratio",
            Bound::AtLeast(50.0),
            "the card's bar",
        )
        .printed("152.8"),
        claim(
            "n-mnist",
            Scaled,
            "On N-MNIST the reservoir with a linear readout reaches the paper's accuracy",
            "table of supervised results",
            "n-mnist/accuracy",
            Bound::AtLeast(0.86),
            "the paper's figure less three points",
        )
        .printed("89.11 % (software), 89.66 % (chip)"),
        claim(
            "n-tidigits",
            Scaled,
            "On N-TIDIGITS the reservoir with a linear readout reaches the paper's accuracy",
            "table of supervised results",
            "n-tidigits/accuracy",
            Bound::AtLeast(0.67),
            "the paper's figure less three points",
        )
        .printed("70.79 % (software), 70.11 % (chip)"),
    ]
}
