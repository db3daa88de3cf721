//! The experiment: reservoirs of every kind on the same wirings, measured and read out, beside the images themselves.

use chiasm_core::{Failure, stats};
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings};
use ndarray::s;

use super::arms::{self, Arm, GATED, STDP};
use super::config::Config;
use super::data::{self, Data};
use super::read::{self, Accuracy};
use super::{checks, figures};

/// What the arms of all networks say.
pub(super) struct Results<'a> {
    pub(super) config: &'a Config,
    pub(super) arms: Vec<Arm>,
    /// Of the images themselves, on all and on few.
    pub(super) pixels: Accuracy,
    pub(super) pixels_few: Accuracy,
}

impl Results<'_> {
    /// A figure of one kind, network by network, where it was measured.
    pub(super) fn each(&self, name: &str, of: impl Fn(&Arm) -> Option<f64>) -> Vec<f64> {
        let arms = self.arms.iter().filter(|arm| arm.name == name);
        arms.filter_map(of).collect()
    }

    /// Its mean over networks.
    pub(super) fn mean(&self, name: &str, of: impl Fn(&Arm) -> Option<f64>) -> Option<f64> {
        let each = self.each(name, of);
        (!each.is_empty()).then(|| stats::mean(&each))
    }

    pub(super) fn branching(&self, name: &str) -> Option<f64> {
        self.mean(name, |arm| arm.branching)
    }

    pub(super) fn accuracy(&self, name: &str) -> Option<f64> {
        self.mean(name, |arm| arm.accuracy.map(|a| a.test))
    }

    /// On the images that all kinds of plasticity were read out on.
    pub(super) fn compared(&self, name: &str) -> Option<f64> {
        if self.config.read_all {
            self.accuracy(name)
        } else {
            self.mean(name, |arm| arm.few.map(|a| a.test))
        }
    }

    /// The size of fixed weights that does best on the validation set, or the one named in the settings without.
    pub(super) fn best_fixed(&self) -> String {
        let by_validation = |w: f64| {
            let name = arms::fixed_name(w);
            self.mean(&name, |arm| arm.accuracy?.validation)
        };
        let mut best = (f64::NEG_INFINITY, self.config.baseline);
        for &w in &self.config.fixed {
            if let Some(found) = by_validation(w)
                && found > best.0
            {
                best = (found, w);
            }
        }
        arms::fixed_name(best.1)
    }

    pub(super) fn first(&self, name: &str) -> Option<&Arm> {
        self.arms
            .iter()
            .find(|arm| arm.name == name && arm.network == 0)
    }
}

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let data = data::data(config, bench)?;
    checks::relaxation(config, data.train.stimuli.n_inputs(), bench)?;
    let arms = arms::all(config, &data, bench)?;
    let (pixels, pixels_few) = bench.stage("pixels", |bench| pixels(config, &data, bench))?;
    let results = Results {
        config,
        arms,
        pixels,
        pixels_few,
    };
    metrics(&results, bench)?;
    claimed(&results, &data, bench)?;
    bench.table(table(&results))?;
    bench.figure(figures::branching(&results))?;
    bench.figure(figures::accuracy(&results))?;
    bench.figure(figures::kernel(&results))?;
    bench.figure(figures::initialization(&results))?;
    look(&results, &data, bench)?;
    bench.note(
        "Test images are scaled by the training images' greatest pixel, not by their own as in the authors' code; traces are \
         cleared before each sample; N-MNIST is not part of this study.",
    );
    Ok(findings(&results, &data))
}

/// The images as they drive the reservoir, read out like its counts.
fn pixels(config: &Config, data: &Data, bench: &Bench) -> Result<(Accuracy, Accuracy), Failure> {
    let view = |part: &data::Part| {
        let p = part.stimuli.as_probabilities();
        p.map(|p| p.to_owned()).unwrap_or_default()
    };
    let (train, test) = (view(&data.train), view(&data.test));
    let kept = data
        .validation
        .as_ref()
        .map(|part| (view(part), &part.labels[..]));
    let kept = kept.as_ref().map(|(x, labels)| (x.view(), *labels));
    let tested = (test.view(), &data.test.labels[..]);
    let labels = &data.train.labels[..];
    let streams = bench.streams().child("pixels");
    let watch = chiasm_core::Inside(bench.watch());
    let few = arms::few(config);
    let of = |train: read::Labelled<'_>, kept: Option<read::Labelled<'_>>| {
        read::accuracy(train, kept, tested, &config.readout, &streams, &watch)
    };
    let all = of((train.view(), labels), kept)?;
    Ok((all, of((train.slice(s![..few, ..]), &labels[..few]), None)?))
}

fn metrics(results: &Results<'_>, bench: &mut Bench) -> Result<(), Failure> {
    let mut names: Vec<&str> = results.arms.iter().map(|arm| arm.name.as_str()).collect();
    names.dedup();
    names.truncate(results.arms.iter().filter(|arm| arm.network == 0).count());
    for name in names {
        let of = [
            ("branching", "1", results.branching(name)),
            ("rate", "Hz", results.mean(name, |arm| arm.rate_hz)),
            ("accuracy", "1", results.accuracy(name)),
            (
                "accuracy-few",
                "1",
                results.mean(name, |arm| arm.few.map(|a| a.test)),
            ),
        ];
        for (what, unit, value) in of {
            if let Some(value) = value {
                bench.metric(&format!("{name}/{what}"), value, unit)?;
            }
        }
    }
    bench.metric("pixels/accuracy", results.pixels.test, "1")?;
    bench.metric("pixels/accuracy-few", results.pixels_few.test, "1")
}

/// The metrics of claims whose scale this run has; the others are excused by it.
fn claimed(results: &Results<'_>, data: &Data, bench: &mut Bench) -> Result<(), Failure> {
    let config = results.config;
    let main = arms::main_name(config);
    let published = data.is_mnist && config.is_published_size();
    let gap = |a: Option<f64>, b: Option<f64>| Some(a? - b?);
    let weak = results.branching(&arms::strength_name(0.002));
    let strong = results.branching(&arms::strength_name(0.1));
    let middle = results.branching(&main);
    let why = "the authors' figures are of MNIST on 1,000 neurons with w_a 0.015, samples of 250 ms and (here) 2,000 images or \
               more to initialize, and of the strengths and sizes they used";
    let anchors = [
        ("branching-astrocyte", "anchor/branching-astrocyte", middle),
        (
            "branching-fixed-0-9",
            "anchor/branching-fixed-0.9",
            results.branching(&arms::fixed_name(0.9)),
        ),
        (
            "branching-fixed-1-4",
            "anchor/branching-fixed-1.4",
            results.branching(&arms::fixed_name(1.4)),
        ),
        (
            "branching-stdp",
            "anchor/branching-stdp",
            results.branching(STDP),
        ),
        (
            "weaker-astrocyte-branches-more",
            "anchor/branching-gap-weak",
            gap(weak, middle),
        ),
        (
            "stronger-astrocyte-branches-less",
            "anchor/branching-gap-strong",
            gap(middle, strong),
        ),
    ];
    record(bench, published, why, &anchors)?;

    let accuracy = results.accuracy(&main);
    let is_full = config.n_train == 50_000 && config.n_test == 10_000;
    let baseline = results.accuracy(&arms::fixed_name(config.baseline));
    let why = "the bars are those of 4,000 training images of MNIST, or somewhat more, and at least 1,000 to test on; all of \
               MNIST has bars of its own";
    let holds = published && config.n_train >= 4000 && config.n_test >= 1000 && !is_full;
    let scaled = [
        ("accuracy", "scaled/accuracy", accuracy),
        (
            "better-than-pixels",
            "scaled/above-pixels",
            gap(accuracy, Some(results.pixels.test)),
        ),
        (
            "as-good-as-fixed",
            "scaled/above-fixed",
            gap(accuracy, baseline),
        ),
    ];
    record(bench, holds, why, &scaled)?;
    let why = "all of MNIST was not read out: see the preset `paper`";
    let best = results.accuracy(&results.best_fixed());
    let full = [
        ("full-accuracy", "full/accuracy", accuracy),
        ("full-accuracy-fixed", "full/accuracy-fixed", best),
        ("full-above-fixed", "full/above-fixed", gap(accuracy, best)),
    ];
    record(bench, published && is_full, why, &full)?;

    let compared = results.compared(&main);
    let tenth = results.compared(&arms::fraction_name(0.1));
    let why = "the bars are of MNIST on 1,000 neurons, with at least 1,000 images to learn from and to test on, and a tenth \
               among the fractions";
    let separation = |name: &str| {
        let (images, rank, _) = *results.first(name)?.ranks.last()?;
        Some(rank as f64 / images.min(config.side.pow(3)) as f64)
    };
    let own = separation(&main);
    let holds = published && arms::few(config) >= 1000 && config.n_test >= 1000;
    let ablations = [
        (
            "better-than-plasticity-alone",
            "ablation/above-stdp",
            gap(compared, results.compared(STDP)),
        ),
        (
            "astrocyte-may-see-a-tenth",
            "ablation/tenth-above-all",
            gap(tenth, compared),
        ),
        ("kernel-separates", "kernel/astrocyte-separation", own),
        (
            "kernel-of-plasticity-alone",
            "kernel/separation-above-stdp",
            gap(own, separation(STDP)),
        ),
    ];
    record(bench, holds, why, &ablations)
}

fn record(
    bench: &mut Bench,
    holds: bool,
    why: &str,
    claims: &[(&str, &str, Option<f64>)],
) -> Result<(), Failure> {
    for (claim, metric, value) in claims {
        match value {
            Some(value) if holds => bench.metric(metric, *value, "1")?,
            _ => bench.not_at_this_scale(claim, why),
        }
    }
    Ok(())
}

/// One sample of the first network in full, the checks on it, and a recording of its reservoir.
fn look(results: &Results<'_>, data: &Data, bench: &mut Bench) -> Result<(), Failure> {
    let config = results.config;
    let streams = bench.streams().clone();
    let again = |name: &str, plasticity| {
        let weights = results.first(name).map_or(&[][..], |arm| &arm.weights[..]);
        arms::again(config, data, plasticity, weights, &streams)
    };
    let plasticity = arms::astrocyte(config.w_a, 1.0);
    let reservoir = again(&arms::main_name(config), plasticity)?;
    let of_test = arms::network_streams(&streams, 0).child("test");
    let response = reservoir.respond(&data.test.stimuli, 0, &of_test)?;
    let stdp = again(STDP, chiasm_circuit::reservoir::Plasticity::Stdp)?;
    let free = stdp.respond(&data.test.stimuli, 0, &of_test)?;
    checks::invariants(&reservoir, &response, bench)?;
    checks::alone_as_among_all(&reservoir, &data.test.stimuli, bench)?;
    let class = &data.classes[data.test.labels[0]];
    bench.figure(figures::raster(&reservoir, &response, class))?;
    bench.figure(figures::sample(&response, &free))?;
    bench.figure(figures::weights(&reservoir, &response))?;
    let samples: Vec<usize> = (0..config.branching_samples).collect();
    let labels: Vec<String> = samples
        .iter()
        .map(|i| data.classes[data.test.labels[*i]].clone())
        .collect();
    let recording = reservoir.recording(&data.test.stimuli, &samples, &labels, &of_test)?;
    bench.recording("reservoir", recording)
}

fn table(results: &Results<'_>) -> Table {
    let percent = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{:.2}", 100.0 * x));
    let number = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.3}"));
    let firsts = results.arms.iter().filter(|arm| arm.network == 0);
    let rows = firsts.map(|arm| {
        let name = arm.name.as_str();
        let rank = |of: fn(&(usize, usize, usize)) -> usize| {
            arm.ranks
                .last()
                .map_or_else(String::new, |r| of(r).to_string())
        };
        vec![
            name.to_owned(),
            number(results.branching(name)),
            number(results.mean(name, |arm| arm.rate_hz)),
            percent(results.accuracy(name)),
            percent(results.mean(name, |arm| arm.few.map(|a| a.test))),
            rank(|r| r.1),
            rank(|r| r.2),
        ]
    });
    let pixels = vec![
        "pixels".to_owned(),
        String::new(),
        String::new(),
        percent(Some(results.pixels.test)),
        percent(Some(results.pixels_few.test)),
        String::new(),
        String::new(),
    ];
    Table {
        id: "reservoirs".into(),
        title: "Every kind of reservoir, means over networks".into(),
        columns: [
            "reservoir",
            "branching factor",
            "rate (Hz)",
            "accuracy (%)",
            "on few images (%)",
            "rank (first network)",
            "rank with noise",
        ]
        .map(Into::into)
        .to_vec(),
        rows: rows.chain(std::iter::once(pixels)).collect(),
    }
}

fn findings(results: &Results<'_>, data: &Data) -> Findings {
    let config = results.config;
    let percent = |x: Option<f64>| x.map_or_else(|| "-".into(), |x| format!("{:.1} %", 100.0 * x));
    let number = |x: Option<f64>| x.map_or_else(|| "-".into(), |x| format!("{x:.2}"));
    let main = arms::main_name(config);
    let strengths: Vec<String> = config
        .strengths()
        .iter()
        .map(|w| {
            format!(
                "{} at {w}",
                number(results.branching(&arms::strength_name(*w)))
            )
        })
        .collect();
    let fixed = results.best_fixed();
    Findings::new(format!(
        "Branching factors with an astrocyte: {}; without plasticity ({fixed}): {}; with plasticity alone: {}.",
        strengths.join(", "),
        number(results.branching(&fixed)),
        number(results.branching(STDP)),
    ))
    .and(format!(
        "{} images of {}, {} to test on, {} networks: with the astrocyte {} are told, with {fixed} {}, from the images \
         themselves {}.",
        config.n_train,
        data.name,
        config.n_test,
        config.networks,
        percent(results.accuracy(&main)),
        percent(results.accuracy(&fixed)),
        percent(Some(results.pixels.test)),
    ))
    .and(format!(
        "On the same images ({}), plasticity alone: {}, gated plasticity: {}, with the astrocyte: {}.",
        if config.read_all { config.n_train } else { arms::few(config) },
        percent(results.compared(STDP)),
        percent(results.compared(GATED)),
        percent(results.compared(&main)),
    ))
}
