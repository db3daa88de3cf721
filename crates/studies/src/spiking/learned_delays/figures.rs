//! What the study shows.

use chiasm_core::Failure;
use chiasm_lab::Figure;
use chiasm_lab::figure::{Axis, Mark, Panel};
use chiasm_net::spiking::delays::kernel::{Bump, rounded_delay, taps};
use chiasm_net::spiking::delays::{Frozen, Recovered, Recovery, Trains};

use super::arms::Arm;
use super::config::Order;
use super::run::LEARNED;

fn fraction(label: &str) -> Axis {
    Axis::new(label, "1").range(0.0, 1.0)
}

fn line(series: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Line {
        series: series.into(),
        x,
        y,
    }
}

fn count(n: usize) -> Vec<f64> {
    (0..n).map(|i| i as f64).collect()
}

/// One kernel at several widths.
pub(super) fn kernel() -> Figure {
    const LENGTH: usize = 25;
    const POSITION: f64 = 4.4;
    let panel = Panel::new("", Axis::new("delay", "steps"), fraction("tap"));
    let widths = [12.0, 3.0, 1.0, 0.23];
    let panel = widths.iter().fold(panel, |panel, sigma| {
        let bump = Bump::Gauss { sigma: *sigma };
        let name = format!("width {sigma}");
        panel.with(line(name, count(LENGTH), taps(1.0, POSITION, LENGTH, bump)))
    });
    Figure::new(
        "kernel",
        "A synapse's kernel while it shrinks",
        "Taps of a weight of 1 at a delay of 7.6 steps. Wide kernels feel a gradient from far delays; at the end the delay is \
         rounded and a single tap is left.",
    )
    .with(panel.with(Mark::Points {
        series: "rounded".into(),
        x: vec![rounded_delay(POSITION, LENGTH) as f64],
        y: vec![1.0],
        labels: vec![],
    }))
}

/// Targets and what was found, and the loss on the way.
pub(super) fn recovery(config: &Recovery, shrinking: &Recovered, narrow: &Recovered) -> Figure {
    let span = (config.length - 1) as f64;
    let axis = |label: &str| Axis::new(label, "steps").range(0.0, span);
    let points = |series: &str, r: &Recovered| Mark::Points {
        series: series.into(),
        x: r.targets.iter().map(|t| *t as f64).collect(),
        y: r.delays.iter().map(|d| d.1).collect(),
        labels: vec![],
    };
    let found = Panel::new("", axis("delay of the target"), axis("delay found"))
        .with(points("narrow from the start", narrow))
        .with(points("shrinking", shrinking));
    let steps = Panel::new(
        "",
        Axis::new("step", "1"),
        Axis::new("squared difference of taps", "1"),
    )
    .with(line(
        "narrow from the start",
        count(narrow.loss.len()),
        narrow.loss.clone(),
    ))
    .with(line(
        "shrinking",
        count(shrinking.loss.len()),
        shrinking.loss.clone(),
    ));
    Figure::new(
        "recovery",
        "Positions that are to find a known delay",
        "Single synapses, each with a target of one tap: the delay it was given and the one it found, and the loss on the way. A \
         kernel that is narrow from the start feels nothing of a target beyond its neighbors.",
    )
    .columns(2)
    .with(found)
    .with(steps)
}

/// Accuracy of each network before and after rounding.
pub(super) fn accuracy(part: &str, all: &[Arm], counts: Option<f64>) -> Figure {
    let names = all.iter().map(|a| a.name.clone()).collect();
    let panel = Panel::new(
        "",
        Axis::categories("delays", names),
        fraction("accuracy on the test"),
    );
    let bars = |series: &str, of: &dyn Fn(&Arm) -> f64| Mark::Bars {
        series: series.into(),
        x: count(all.len()),
        y: all.iter().map(of).collect(),
        error: vec![],
    };
    let panel = panel
        .with(bars("kernels of the last epoch", &|a| a.soft))
        .with(bars("whole delays", &|a| a.rounded));
    let chance = 1.0 / all.first().map_or(1, |a| a.training.network().n_classes()) as f64;
    let panel = match counts {
        Some(y) => panel.with(Mark::HLine {
            series: "counts alone".into(),
            y,
        }),
        None => panel.with(Mark::HLine {
            series: "chance".into(),
            y: chance,
        }),
    };
    let title = match part {
        "order" => "Telling classes from the order of spikes",
        "spoken" => "Telling spoken digits",
        _ => "Telling classes",
    };
    Figure::new(
        &format!("{part}-accuracy"),
        title,
        "Networks that differ in their delays alone, on samples they did not learn from. Delays that do not learn are whole from \
         the start.",
    )
    .with(panel)
}

/// Accuracy against the greatest delay.
pub(super) fn max_delay(config: &Order, all: &[Arm], n_named: usize) -> Figure {
    let step = config.network.step_ms;
    let reach = |arm: &Arm| (arm.training.network().kernel_length() - 1) as f64 * step;
    let own = all.iter().filter(|a| a.name == LEARNED);
    let mut points: Vec<(f64, f64)> = own
        .chain(&all[n_named..])
        .map(|a| (reach(a), a.rounded))
        .collect();
    points.extend(
        all.iter()
            .filter(|a| a.name == super::run::NONE)
            .map(|a| (0.0, a.rounded)),
    );
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (x, y) = points.into_iter().unzip();
    let panel = Panel::new(
        "",
        Axis::new("greatest delay", "ms"),
        fraction("accuracy on the test"),
    )
    .with(line("learned delays", x, y))
    .with(Mark::VLine {
        series: "span of a template".into(),
        x: config.task.span as f64 * step,
    });
    Figure::new(
        "order-max-delay",
        "Accuracy against the greatest delay",
        "Whole learned delays on the task of order; at 0 the network without delays. Two spikes of a template are apart by its \
         span at most.",
    )
    .with(panel)
}

/// Accuracy in training, and the kernels' width.
pub(super) fn training(part: &str, all: &[Arm]) -> Figure {
    let learn = Panel::new(
        "",
        Axis::new("epoch", "1"),
        fraction("accuracy in training"),
    );
    let learn = all.iter().fold(learn, |panel, arm| {
        let y = arm.epochs().iter().map(|e| e.accuracy).collect();
        panel.with(line(arm.name.clone(), count(arm.epochs().len()), y))
    });
    let width = Panel::new(
        "",
        Axis::new("epoch", "1"),
        Axis::new("width of kernels", "steps"),
    );
    let width = all
        .iter()
        .filter(|a| a.name == LEARNED)
        .fold(width, |panel, arm| {
            let y = arm.epochs().iter().map(|e| e.sigma).collect();
            panel.with(line("learned", count(arm.epochs().len()), y))
        });
    Figure::new(
        &format!("{part}-training"),
        "Training",
        "Accuracy on the samples learned from, while neurons are dropped out; and the width of the kernels, which falls over the \
         first part of the epochs.",
    )
    .with(learn)
    .with(width.height(0.5))
    .shared_x()
}

/// Delays before and after training, layer by layer.
pub(super) fn delays(part: &str, arm: &Arm, length: usize) -> Figure {
    let figure = Figure::new(
        &format!("{part}-delays"),
        "Delays before and after training",
        "Synapses by their delay rounded to whole steps, for each layer of synapses; the last is the readout's.",
    );
    let after = arm.after();
    let histogram = |delays: &[f64]| {
        let mut counts = vec![0.0; length];
        for d in delays {
            counts[(d.round().max(0.0) as usize).min(length - 1)] += 1.0;
        }
        counts
    };
    let layers = arm.before.iter().zip(&after).enumerate();
    layers.fold(figure, |figure, (l, (before, after))| {
        let title = format!("synapses onto layer {}", l + 1);
        let panel = Panel::new(
            &title,
            Axis::new("delay", "steps"),
            Axis::new("synapses", "1"),
        );
        figure.with(
            panel
                .with(line("before", count(length), histogram(before)))
                .with(line("after", count(length), histogram(after))),
        )
    })
}

/// A sample as it is sent, and as it arrives at the neuron where most of it comes together.
pub(super) fn arrivals(frozen: &Frozen, test: &Trains, step_ms: f64) -> Result<Figure, Failure> {
    let sample = &test.samples()[0];
    let synapses = frozen.synapses()?;
    let steps = frozen.steps(test.n_steps());
    let ms = |step: usize| step as f64 * step_ms;
    let mut best = (0.0, 0, 0);
    let n_hidden = frozen.hidden().first().copied().unwrap_or(0);
    let onto = |post: usize| {
        let list = synapses
            .iter()
            .filter(move |s| s.layer == 0 && s.post == post);
        list.filter(|s| s.weight > 0.0)
    };
    for post in 0..n_hidden {
        let mut sums = vec![0.0; steps[1]];
        for s in onto(post) {
            for event in sample.iter().filter(|e| e.channel as usize == s.pre) {
                if let Some(sum) = sums.get_mut(event.step as usize + s.delay) {
                    *sum += s.weight * f64::from(event.value);
                }
            }
        }
        for (t, sum) in sums.iter().enumerate() {
            if *sum > best.0 {
                best = (*sum, post, t);
            }
        }
    }
    let (_, post, at) = best;
    let axis = || Axis::new("time", "ms").range(0.0, ms(steps[1]));
    let rows = |of: &dyn Fn(usize, usize) -> Vec<usize>| {
        let (mut x, mut y) = (vec![], vec![]);
        for event in sample {
            for t in of(event.channel as usize, event.step as usize) {
                x.push(ms(t));
                y.push(f64::from(event.channel));
            }
        }
        (x, y)
    };
    let (x, y) = rows(&|_, t| vec![t]);
    let sent = Panel::new("as sent", axis(), Axis::new("channel", "index")).with(Mark::Ticks {
        series: "spikes".into(),
        x,
        y,
    });
    let delayed = |channel: usize, t: usize| -> Vec<usize> {
        let list = onto(post).filter(|s| s.pre == channel);
        list.map(|s| t + s.delay)
            .filter(|t| *t < steps[1])
            .collect()
    };
    let (x, y) = rows(&delayed);
    let title = format!("as it arrives at hidden neuron {post}, by excitatory synapses");
    let arrived = Panel::new(&title, axis(), Axis::new("channel", "index"))
        .with(Mark::Ticks {
            series: "spikes".into(),
            x,
            y,
        })
        .with(Mark::VLine {
            series: "most excitation".into(),
            x: ms(at),
        });
    Ok(Figure::new(
        "order-arrivals",
        "What delays do to a sample",
        "The first test sample, and the same spikes after the delays of the excitatory synapses onto the hidden neuron that is \
         excited most in one step: spikes that were sent one after the other arrive together.",
    )
    .with(sent)
    .with(arrived)
    .shared_x())
}
