//! What the study shows.

use chiasm_data::events::Steps;
use chiasm_lab::Figure;
use chiasm_lab::figure::{Axis, Mark, Panel};

use super::cross::{self, InClass};
use super::data::Modality;
use super::probe::{self, Probe};
use super::run::{Results, accuracy};

pub(super) fn all(results: &Results<'_>) -> Vec<Figure> {
    let mut all = vec![
        events(results),
        readouts(results),
        chips(results),
        gain(results),
        look_ups(results),
        held_out(results),
        cost(results),
    ];
    all.extend(similarity(results));
    all
}

fn line(series: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Line {
        series: series.into(),
        x,
        y,
    }
}

fn points(series: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Points {
        series: series.into(),
        x,
        y,
        labels: vec![],
    }
}

fn bars(series: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Bars {
        series: series.into(),
        x,
        y,
        error: vec![],
    }
}

/// One sample of each modality, as it drives its reservoir.
fn events(results: &Results<'_>) -> Figure {
    let panel = |modality: &Modality, channel: &str, step_ms: f64| {
        let steps: &Steps = &modality.test.steps[0];
        let (mut x, mut y) = (vec![], vec![]);
        for (t, channels) in steps.iter().enumerate() {
            x.extend(channels.iter().map(|_| t as f64 * step_ms));
            y.extend(channels.iter().map(|c| f64::from(*c)));
        }
        let title = format!("{}: a {}", modality.name, modality.test.labels[0]);
        Panel::new(
            &title,
            Axis::new("time", "ms").range(0.0, step_ms * steps.len() as f64),
            Axis::new(channel, "1").range(0.0, steps.n_channels() as f64),
        )
        .with(points("", x, y))
    };
    let config = results.config;
    Figure::new(
        "events",
        "Digits seen and digits heard, as events",
        "Each point is an active channel: of an image a pixel that grew brighter while the gaze jumps, numbered row by row; of a \
         sound a band whose energy rose, from low to high.",
    )
    .with(panel(
        &results.data.vision,
        "pixel",
        config.saccades.step_us as f64 / 1000.0,
    ))
    .with(panel(
        &results.data.audio,
        "band",
        config.mel.step_s * 1000.0,
    ))
    .columns(2)
}

/// Accuracy of the linear readouts.
fn readouts(results: &Results<'_>) -> Figure {
    let panel = |title: &str, probes: &[Probe], names: &[&str], reference: (&str, f64)| {
        let shown: Vec<&&str> = names
            .iter()
            .filter(|n| probes.iter().any(|p| p.name == **n))
            .collect();
        let heights = shown.iter().map(|n| 100.0 * accuracy(probes, n)).collect();
        let categories = shown.iter().map(|n| (**n).to_owned()).collect();
        Panel::new(
            title,
            Axis::categories("features", categories),
            Axis::new("accuracy", "%").range(0.0, 100.0),
        )
        .with(bars(
            "",
            (0..shown.len()).map(|i| i as f64).collect(),
            heights,
        ))
        .with(Mark::HLine {
            series: reference.0.into(),
            y: reference.1,
        })
    };
    let noisy = probe::noisy_name(0.05);
    let seen = [
        probe::EVENTS,
        probe::ALONE,
        probe::SMALL,
        probe::LARGE,
        probe::STRONG,
        probe::CHIP,
        noisy.as_str(),
    ];
    let heard = [
        probe::EVENTS,
        probe::ALONE,
        probe::SMALL,
        probe::CHIP,
        noisy.as_str(),
    ];
    Figure::new(
        "readouts",
        "What a linear readout makes of frozen neurons' counts",
        "Accuracy on test samples. `events` are counts of the events themselves. The lines are the paper's reservoirs on data \
         sets that are not at hand, N-MNIST and N-TIDIGITS.",
    )
    .with(panel(
        results.data.vision.name,
        &results.vision,
        &seen,
        ("paper, N-MNIST", 89.11),
    ))
    .with(panel(
        results.data.audio.name,
        &results.audio,
        &heard,
        ("paper, N-TIDIGITS", 70.79),
    ))
    .columns(2)
}

/// Accuracy of images over noise and stuck cells.
fn chips(results: &Results<'_>) -> Figure {
    let config = results.config;
    let quiet = 100.0 * accuracy(&results.vision, probe::CHIP);
    let panel = |x: &str, values: &[f64], name: &dyn Fn(f64) -> String, series: &str| {
        let with = |v: &f64| 100.0 * accuracy(&results.vision, &name(*v));
        let at = std::iter::once(0.0).chain(values.iter().map(|v| 100.0 * v));
        let heights = std::iter::once(quiet).chain(values.iter().map(with));
        Panel::new(
            "",
            Axis::new(x, "%"),
            Axis::new("accuracy", "%").range(0.0, 100.0),
        )
        .with(line(
            series,
            at.clone().collect(),
            heights.clone().collect(),
        ))
        .with(points("", at.collect(), heights.collect()))
        .with(Mark::HLine {
            series: "normal weights".into(),
            y: 100.0 * accuracy(&results.vision, probe::SMALL),
        })
    };
    let noisy = format!("chip, {} bits where noisy", config.adc_bits);
    Figure::new(
        "chips",
        "How much noise a chip may have",
        "Accuracy of the linear readout of images by the same neurons; it learns from counts with the chip's own noise.",
    )
    .with(panel(
        "noise on a cell's current at a read",
        &config.read_noise,
        &probe::noisy_name,
        &noisy,
    ))
    .with(panel(
        "stuck cells",
        &config.stuck,
        &probe::stuck_name,
        "chip",
    ))
    .columns(2)
}

/// The search for the gain of the sounds' reservoir.
fn gain(results: &Results<'_>) -> Figure {
    let mut tried = results.search.tried.clone();
    tried.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (x, y): (Vec<f64>, Vec<f64>) = tried.into_iter().map(|(f, r)| (f, 100.0 * r)).unzip();
    Figure::new(
        "gain",
        "The gain at which the sounds' reservoir spikes as it is asked to",
        "Spikes for each neuron and step over the factor of all weights, on training sounds.",
    )
    .with(
        Panel::new(
            "",
            Axis::new("factor of all weights", "1").log(),
            Axis::new("spikes for each neuron and step", "%"),
        )
        .with(line("", x.clone(), y.clone()))
        .with(points("tried", x, y))
        .with(Mark::HLine {
            series: "asked for".into(),
            y: 100.0 * results.config.audio_rate,
        }),
    )
}

/// Look-ups after training on seven digits.
fn look_ups(results: &Results<'_>) -> Figure {
    let all = &results.cross.in_class;
    let names: Vec<String> = all.iter().map(|c| c.name.clone()).collect();
    let at = || (0..all.len()).map(|i| i as f64).collect::<Vec<f64>>();
    let heights = |of: fn(&InClass) -> f64| all.iter().map(|c| 100.0 * of(c)).collect::<Vec<f64>>();
    let panel = |title: &str, chance: f64| {
        Panel::new(
            title,
            Axis::categories("features and loss", names.clone()),
            Axis::new("right digit", "%").range(0.0, 100.0),
        )
        .with(Mark::HLine {
            series: "chance".into(),
            y: 100.0 * chance,
        })
    };
    Figure::new(
        "look-ups",
        "Sounds looked up among images, and images among sounds",
        "How often the most similar item of the other modality shows the same digit, after training on digits 1 to 7: among \
         these, and for 8 and 9, which were never trained. The second pair is the paper's own; one pair can come out anywhere \
         between 0 and 100 %, see the figure of all pairs.",
    )
    .with(
        panel("digits 1 to 7", 1.0 / 7.0)
            .with(bars("sound to image", at(), heights(|c| c.found.audio_to_image)))
            .with(bars("image to sound", at(), heights(|c| c.found.image_to_audio))),
    )
    .with(
        panel("digits 8 and 9, held out", 0.5)
            .with(bars("sound to image", at(), heights(|c| c.papers_pair.audio_to_image)))
            .with(bars("image to sound", at(), heights(|c| c.papers_pair.image_to_audio))),
    )
}

/// Mean similarity of sounds to images, digit by digit.
fn similarity(results: &Results<'_>) -> Option<Figure> {
    let main = results.cross.of(cross::MAIN)?;
    let digits: Vec<String> = (0..10).map(|d| d.to_string()).collect();
    Some(
        Figure::new(
            "similarity",
            "What is similar to what, digit by digit",
            "Mean cosine of embedded test sounds (rows) and images (columns) after training on digits 1 to 7. 0, 8 and 9 were \
             never trained: where they lie is what zero-shot look-up lives on.",
        )
        .with(
            Panel::new(
                "",
                Axis::categories("seen", digits.clone()),
                Axis::categories("heard", digits),
            )
            .with(Mark::Heatmap {
                series: "similarity (1)".into(),
                values: main.similarity.clone(),
                x_range: None,
                y_range: None,
                color_range: None,
                diverging: false,
            }),
        ),
    )
}

/// Accuracy on every pair of digits that was held out.
fn held_out(results: &Results<'_>) -> Figure {
    let pairs = &results.cross.held_out;
    let at: Vec<f64> = (0..pairs.len()).map(|i| i as f64).collect();
    let name = |h: &cross::HeldOut| format!("{}{}", h.pair[0], h.pair[1]);
    let heights = |of: fn(&cross::HeldOut) -> f64| pairs.iter().map(|h| 100.0 * of(h)).collect();
    Figure::new(
        "held-out-pairs",
        "Two digits that training never saw, told apart across modalities",
        "How often the most similar item of the other modality, among both digits' items, is of the same digit; one training on \
         the seven other digits for each pair. A digit pair may come out the wrong way around as a whole: nothing tells the \
         projections which of the two is which.",
    )
    .with(
        Panel::new(
            "",
            Axis::categories("digits held out", pairs.iter().map(name).collect()),
            Axis::new("right digit", "%").range(0.0, 100.0),
        )
        .with(points("sound to image", at.clone(), heights(|h| h.found.audio_to_image)))
        .with(points("image to sound", at.clone(), heights(|h| h.found.image_to_audio)))
        .with(points("untrained, sound to image", at, heights(|h| h.untrained.audio_to_image)))
        .with(Mark::HLine {
            series: "chance".into(),
            y: 50.0,
        })
        .with(Mark::HLine {
            series: "mean, sound to image".into(),
            y: 100.0 * results.zero_shot[0].mean,
        }),
    )
}

/// Multiply-accumulates of one pass.
fn cost(results: &Results<'_>) -> Figure {
    let cost = &results.cost;
    let names = [
        "projections",
        "prototypes",
        "recurrent, zeros skipped",
        "recurrent, dense",
    ];
    let macs = [
        cost.contrastive,
        cost.prototypes,
        cost.recurrent_sparse,
        cost.recurrent,
    ];
    Figure::new(
        "cost",
        "What one pass of training costs",
        "Multiply-accumulates over all pairs of digits 1 to 7: of the projections alone, by either loss, and with \
         back-propagation through both recurrent networks. The frozen reservoirs' own work, done once for each sample, is not \
         in the first two.",
    )
    .with(
        Panel::new(
            "",
            Axis::categories("what is trained", names.map(str::to_owned).to_vec()),
            Axis::new("multiply-accumulates of a pass", "1").log(),
        )
        .with(points("", (0..4).map(f64::from).collect(), macs.to_vec())),
    )
}
