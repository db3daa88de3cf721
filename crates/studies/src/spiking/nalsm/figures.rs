//! What the study shows.

use chiasm_circuit::reservoir::{Reservoir, Response};
use chiasm_lab::Figure;
use chiasm_lab::figure::{Axis, Mark, Panel};

use super::arms::{self, GATED, STDP};
use super::run::Results;

/// The authors' branching factor and accuracy (%) by strength of the astrocyte (their table of runs, MNIST, means of ten
/// networks).
const AUTHORS_STRENGTHS: [(f64, f64, f64); 7] = [
    (0.002, 1.424, 95.91),
    (0.0075, 1.325, 96.00),
    (0.015, 1.246, 95.96),
    (0.025, 1.179, 95.87),
    (0.05, 1.086, 95.94),
    (0.1, 0.988, 95.67),
    (0.2, 0.885, 95.22),
];
/// As above, by size of fixed weights.
const AUTHORS_FIXED: [(f64, f64, f64); 11] = [
    (0.4, 0.369, 95.00),
    (0.5, 0.539, 95.12),
    (0.6, 0.704, 95.19),
    (0.7, 0.863, 95.22),
    (0.8, 1.002, 95.20),
    (0.9, 1.130, 95.20),
    (1.0, 1.240, 95.18),
    (1.1, 1.341, 94.85),
    (1.2, 1.404, 94.32),
    (1.3, 1.437, 93.59),
    (1.4, 1.438, 93.44),
];

fn points(series: &str, of: impl Iterator<Item = (f64, f64)>) -> Mark {
    let (x, y) = of.unzip();
    Mark::Points {
        series: series.into(),
        x,
        y,
        labels: vec![],
    }
}

fn line(series: &str, of: impl Iterator<Item = (f64, f64)>) -> Mark {
    let (x, y) = of.unzip();
    Mark::Line {
        series: series.into(),
        x,
        y,
    }
}

/// Branching by strength of the astrocyte and by size of fixed weights, beside the authors'.
pub(super) fn branching(results: &Results<'_>) -> Figure {
    let config = results.config;
    let panel = |x: Axis, values: &[f64], name: &dyn Fn(f64) -> String, theirs: Vec<(f64, f64)>| {
        let each = |value: f64| {
            let each = results.each(&name(value), |arm| arm.branching);
            each.into_iter().map(move |y| (value, y))
        };
        let means = values
            .iter()
            .filter_map(|v| Some((*v, results.branching(&name(*v))?)));
        Panel::new("", x, Axis::new("branching factor", "1"))
            .with(Mark::HLine {
                series: "neither grows nor dies".into(),
                y: 1.0,
            })
            .with(line("ours, mean", means))
            .with(points(
                "ours, each network",
                values.iter().flat_map(|v| each(*v)),
            ))
            .with(points("authors, mean of ten", theirs.into_iter()))
    };
    let theirs = |of: &[(f64, f64, f64)]| of.iter().map(|a| (a.0, a.1)).collect();
    Figure::new(
        "branching",
        "The astrocyte's strength sets how activity branches, as the size of fixed weights does",
        "Spikes of a neuron's targets in the 4 ms after its own over those of its sources in the 4 ms before, mean over test \
         images. The authors' figures are of MNIST, 1,000 neurons and 50,000 images to initialize.",
    )
    .with(panel(
        Axis::new("strength of the astrocyte", "1").log(),
        &config.strengths(),
        &arms::strength_name,
        theirs(&AUTHORS_STRENGTHS),
    ))
    .with(panel(
        Axis::new("size of fixed weights", "1"),
        &config.fixed,
        &arms::fixed_name,
        theirs(&AUTHORS_FIXED),
    ))
    .columns(2)
}

/// Accuracy of each kind, against its branching where all are read out.
pub(super) fn accuracy(results: &Results<'_>) -> Figure {
    let config = results.config;
    let main = arms::main_name(config);
    let fixed = results.best_fixed();
    let names = [&main, &fixed].map(|n| n.to_owned());
    let compared = [main.clone(), STDP.into(), GATED.into()];
    let fractions = config.fractions.iter().map(|f| arms::fraction_name(*f));
    let compared: Vec<String> = compared.into_iter().chain(fractions).collect();
    let marks = |title: &str, names: Vec<String>, of: &dyn Fn(&str) -> Option<f64>, pixels: f64| {
        let (shown, values): (Vec<String>, Vec<f64>) = names
            .into_iter()
            .filter_map(|name| Some((name.clone(), 100.0 * of(&name)?)))
            .chain(std::iter::once(("pixels".to_owned(), 100.0 * pixels)))
            .unzip();
        Panel::new(
            title,
            Axis::categories("reservoir", shown),
            Axis::new("accuracy", "%"),
        )
        .with(points(
            "",
            values.into_iter().enumerate().map(|(i, y)| (i as f64, y)),
        ))
    };
    let few = if config.read_all {
        results.pixels
    } else {
        results.pixels_few
    };
    let figure = Figure::new(
        "accuracy",
        "Read out by softmax regression",
        "Test images told by a linear readout of spike counts, means over networks; `pixels` is the same readout of the images \
         themselves. Where not every reservoir is read out on all images, the second panel has fewer images to learn from.",
    )
    .with(marks("all training images", names.to_vec(), &|n| results.accuracy(n), results.pixels.test))
    .with(marks("kinds of plasticity", compared, &|n| results.compared(n), few.test))
    .columns(2);
    if !config.read_all {
        return figure;
    }
    let by_branching = |series: &str, names: Vec<String>| {
        let of = |n: &String| Some((results.branching(n)?, 100.0 * results.accuracy(n)?));
        points(series, names.iter().filter_map(of))
    };
    let strengths = config
        .strengths()
        .into_iter()
        .map(arms::strength_name)
        .collect();
    let sizes = config.fixed.iter().map(|w| arms::fixed_name(*w)).collect();
    let theirs = |of: &[(f64, f64, f64)]| of.iter().map(|a| (a.1, a.2)).collect::<Vec<_>>();
    figure.with(
        Panel::new(
            "",
            Axis::new("branching factor", "1"),
            Axis::new("accuracy", "%"),
        )
        .with(by_branching("astrocyte", strengths))
        .with(by_branching("fixed weights", sizes))
        .with(points(
            "astrocyte, authors",
            theirs(&AUTHORS_STRENGTHS).into_iter(),
        ))
        .with(points(
            "fixed weights, authors",
            theirs(&AUTHORS_FIXED).into_iter(),
        )),
    )
}

/// Ranks of counts by number of images, clean and with noise.
pub(super) fn kernel(results: &Results<'_>) -> Figure {
    let config = results.config;
    let main = arms::main_name(config);
    let names = [
        main,
        arms::fixed_name(config.baseline),
        STDP.into(),
        GATED.into(),
    ];
    let panel = |title: &str, of: fn(&(usize, usize, usize)) -> usize| {
        let mut panel = Panel::new(
            title,
            Axis::new("images", "1"),
            Axis::new("rank of their counts", "1"),
        );
        for name in &names {
            if let Some(arm) = results.first(name)
                && !arm.ranks.is_empty()
            {
                let curve = arm.ranks.iter().map(|r| (r.0 as f64, of(r) as f64));
                panel = panel.with(line(name, curve));
            }
        }
        panel
    };
    Figure::new(
        "kernel",
        "How many patterns of the counts are independent",
        "Rank of the counts of the first network for more and more test images: of different images a high rank separates; of \
         noise on them a lower one generalizes.",
    )
    .with(panel("images", |r| r.1))
    .with(panel("the same with noise", |r| r.2))
    .columns(2)
}

/// The astrocyte and the spikes it balances, image by image.
pub(super) fn initialization(results: &Results<'_>) -> Figure {
    let history = results.first(&arms::main_name(results.config));
    let history = history.map_or(&[][..], |arm| &arm.history[..]);
    let x = || Axis::new("image", "1");
    let of = |f: fn(&arms::Shown) -> f64| history.iter().map(move |h| (h.image as f64, f(h)));
    Figure::new(
        "initialization",
        "The astrocyte holds the reservoir's spikes down",
        "Images of the initialization, 20 ms each: the astrocyte at the end of each (rest 0.15), and the spikes of reservoir and \
         inputs. All weights begin at their bounds.",
    )
    .with(
        Panel::new("", x(), Axis::new("astrocyte", "1"))
            .with(line("rate of depression", of(|h| h.astrocyte)))
            .with(Mark::HLine {
                series: "rate of potentiation".into(),
                y: 0.15,
            }),
    )
    .with(
        Panel::new("", x(), Axis::new("spikes", "1"))
            .with(line("reservoir", of(|h| f64::from(h.reservoir))))
            .with(line("inputs", of(|h| f64::from(h.inputs)))),
    )
    .shared_x()
}

/// Spikes of the reservoir and of the inputs for one image.
pub(super) fn raster(reservoir: &Reservoir, response: &Response, class: &str) -> Figure {
    let n_excitatory = reservoir.n_excitatory() as u32;
    let ticks = |series: &str, of: Vec<(u32, u32)>| Mark::Ticks {
        series: series.into(),
        x: of.iter().map(|s| f64::from(s.0)).collect(),
        y: of.iter().map(|s| f64::from(s.1)).collect(),
    };
    let (excitatory, inhibitory) = response
        .spikes
        .iter()
        .copied()
        .partition(|s| s.1 < n_excitatory);
    let x = || Axis::new("time", "ms");
    Figure::new(
        "raster",
        "One image in the reservoir",
        &format!("Spikes of the reservoir and of its inputs for a test image of class {class}."),
    )
    .with(
        Panel::new("reservoir", x(), Axis::new("neuron", "1"))
            .with(ticks("excitatory", excitatory))
            .with(ticks("inhibitory", inhibitory)),
    )
    .with(
        Panel::new("inputs", x(), Axis::new("input", "1"))
            .with(ticks("inputs", response.input_spikes.clone())),
    )
    .shared_x()
}

/// Spikes in 5 ms, and the rate of depression, with and without the astrocyte.
pub(super) fn sample(with: &Response, without: &Response) -> Figure {
    const BIN: u32 = 5;
    let rates = |spikes: &[(u32, u32)], duration: usize| {
        let mut n = vec![0.0; duration.div_ceil(BIN as usize)];
        for (t, _) in spikes {
            n[(t / BIN) as usize] += 1.0 / f64::from(BIN);
        }
        n.into_iter()
            .enumerate()
            .map(|(k, n)| ((k as f64 + 0.5) * f64::from(BIN), n))
    };
    let duration = with.astrocyte.len();
    let x = || Axis::new("time", "ms");
    let curve = |a: &[f64]| {
        let of: Vec<(f64, f64)> = a.iter().enumerate().map(|(t, a)| (t as f64, *a)).collect();
        of.into_iter()
    };
    Figure::new(
        "astrocyte",
        "The astrocyte in one sample",
        "Spikes per millisecond and the rate of depression, for one image; without the astrocyte depression is as strong as \
         potentiation. Both rates decay by a hundredth in each step.",
    )
    .with(
        Panel::new("", x(), Axis::new("spikes per ms", "1"))
            .with(line("reservoir, with the astrocyte", rates(&with.spikes, duration)))
            .with(line("reservoir, without", rates(&without.spikes, duration)))
            .with(line("inputs", rates(&with.input_spikes, duration))),
    )
    .with(
        Panel::new("", x(), Axis::new("rate of depression", "1"))
            .with(line("with the astrocyte", curve(&with.astrocyte)))
            .with(line("without", curve(&without.astrocyte))),
    )
    .shared_x()
}

/// Distributions of the weights after the initialization and after a sample.
pub(super) fn weights(reservoir: &Reservoir, response: &Response) -> Figure {
    let most = reservoir.config().w_max;
    let (n, n_excitatory) = (reservoir.config().n_neurons, reservoir.n_excitatory());
    let of = |source: u32| match source as usize {
        i if i < n_excitatory => 0,
        i if i < n => 1,
        _ => 2,
    };
    const BINS: usize = 41;
    let mut counts = vec![[[0.0f64; BINS]; 2]; 3];
    let bin = |w: f32| {
        let at = (f64::from(w) + most) / (2.0 * most) * (BINS - 1) as f64;
        (at.round().max(0.0) as usize).min(BINS - 1)
    };
    for (synapse, after) in reservoir.synapses().zip(&response.weights) {
        let counts = &mut counts[of(synapse.source)];
        counts[0][bin(synapse.weight)] += 1.0;
        counts[1][bin(*after)] += 1.0;
    }
    let mut figure = Figure::new(
        "weights",
        "Weights after the initialization and after one sample",
        "Fraction of the synapses of each kind of source in bins of 0.15. Before the initialization all are at 3 or -3, with \
         the sign of their source (inputs: of either sign).",
    );
    for (name, counts) in ["excitatory", "inhibitory", "inputs"].iter().zip(&counts) {
        let mut panel = Panel::new(name, Axis::new("weight", "1"), Axis::new("fraction", "1"));
        for (series, counts) in ["after the initialization", "after a sample"]
            .iter()
            .zip(counts)
        {
            let total = counts.iter().sum::<f64>().max(1.0);
            let at = |k: usize| (k as f64 / (BINS - 1) as f64).mul_add(2.0 * most, -most);
            let curve = counts.iter().enumerate().map(|(k, c)| (at(k), c / total));
            panel = panel.with(line(series, curve));
        }
        figure = figure.with(panel);
    }
    figure.columns(3)
}
