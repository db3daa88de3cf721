//! The experiment: the exact side of the theory, then networks.

use chiasm_analysis::collapse::{FeatureModel, Form};
use chiasm_core::Failure;
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings};

use super::config::Config;
use super::networks::{self, Change, Course, Digits, Stack};
use super::theory::{self, Spectrum, Springs};
use super::{claims, figures};
use crate::images;

/// The card's reference values: smallest singular value of a class with itself, and that between classes.
const LARGE_BETA: (f64, f64) = (0.998_119_698_453_4, 0.000_734_085_205_15);
const EXACT: (f64, f64) = (0.998_123_227_4, 0.000_733_009_0);

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    bench.watch().stage("theory", 0);
    theory::minima(config, bench)?;
    let main = spectra(config, bench)?;
    theory::derivative(config, bench)?;
    damping(config, bench)?;
    let courses = bench.stage("flow", |bench| theory::flows(config, bench))?;
    let mut violations = 0;
    for (course, lambda_h) in courses.iter().zip(&config.flow_decays) {
        let found = course.violations(1e-9);
        violations += found.quotient + found.within + found.between;
        let quotients = course.quotients();
        let left = quotients[quotients.len() - 1] / quotients[0];
        bench.metric(&format!("flow/left/{lambda_h}"), left, "1")?;
    }
    bench.metric("flow/violations", violations as f64, "1")?;
    bench.figure(figures::flow(config, &courses))?;
    let springs = bench.stage("springs", |bench| theory::springs(config, bench))?;
    report(config, &springs, bench)?;
    let practical = trained(config, bench)?;
    Ok(practical
        .into_iter()
        .fold(findings(config, &main, &springs), Findings::and))
}

/// Networks on images; what was found, in words.
fn trained(config: &Config, bench: &mut Bench) -> Result<Vec<String>, Failure> {
    let most = config.layerwise.n_train.max(config.decay.n_train);
    let found = images::load(config.images, (most, 50), bench)?;
    if !found.is_mnist() {
        for claim in claims::LAYERWISE.iter().chain(&claims::DECAY) {
            let why = format!("the bar is for MNIST's digits; these are {}", found.name);
            bench.not_at_this_scale(claim, why);
        }
    }
    let n_classes = found.classes.len();
    let (layerwise, decay) = (&config.layerwise, &config.decay);
    let data = Digits::first(&found.train, layerwise.n_train, n_classes);
    let steps = layerwise.layers * layerwise.epochs;
    bench.watch().stage("layer by layer", steps as u64);
    let stack = bench.stage("layerwise", |bench| {
        networks::layerwise(layerwise, &data, bench)
    })?;
    by_layer(&stack, bench)?;
    bench.figure(figures::layers(&stack, found.name))?;
    let data = Digits::first(&found.train, decay.n_train, n_classes);
    let n_arms = decay.networks * Change::ALL.len();
    let steps = n_arms * decay.epochs;
    bench.watch().stage("weight decay", steps as u64);
    let courses = bench.arms(n_arms, |i, bench| {
        let (replica, change) = (i / Change::ALL.len(), Change::ALL[i % Change::ALL.len()]);
        bench.stage(&format!("decay-{replica}-{}", change.name()), |bench| {
            networks::decayed(change, replica, (decay, &data), bench)
        })
    })?;
    let sentence = by_decay(&courses, decay.networks, bench)?;
    bench.figure(figures::decays(&courses, found.name))?;
    let (first, last) = (&stack.trained[0], &stack.trained[stack.trained.len() - 1]);
    let (raw, other) = (
        &stack.untrained[0],
        &stack.untrained[stack.untrained.len() - 1],
    );
    let layers = format!(
        "Layer by layer on {} images of {}, NC1~ goes from {:.3} in the first layer to {:.3} in layer {}, and NC1 from {:.3} to \
         {:.3}; in layers that were not trained NC1~ goes from {:.3} to {:.3}.",
        layerwise.n_train.min(found.train.labels.len()),
        found.name,
        first.quotient,
        last.quotient,
        stack.trained.len(),
        first.ratio,
        last.ratio,
        raw.quotient,
        other.quotient
    );
    Ok(vec![layers, sentence])
}

fn by_layer(stack: &Stack, bench: &mut Bench) -> Result<(), Failure> {
    for (name, depths) in [
        ("layerwise", &stack.trained),
        ("untrained", &stack.untrained),
    ] {
        for (i, depth) in depths.iter().enumerate() {
            bench.metric(&format!("{name}/nc1/{}", i + 1), depth.ratio, "1")?;
            bench.metric(
                &format!("{name}/nc1-quotient/{}", i + 1),
                depth.quotient,
                "1",
            )?;
            bench.metric(&format!("{name}/nc2/{}", i + 1), depth.simplex, "1")?;
        }
        let steps = depths.windows(2);
        let up = steps.filter(|w| w[1].quotient > w[0].quotient).count();
        let ratio = depths[depths.len() - 1].quotient / depths[0].quotient;
        bench.metric(&format!("{name}/last-over-first"), ratio, "1")?;
        bench.metric(&format!("{name}/inversions"), up as f64, "layers")?;
    }
    bench.metric("pixels/nc1-quotient", stack.pixels.quotient, "1")?;
    let last = stack.trained[stack.trained.len() - 1].accuracy;
    bench.metric("layerwise/accuracy", last, "1")
}

/// Courses of each network of each kind, kinds within networks.
fn by_decay(courses: &[Course], networks: usize, bench: &mut Bench) -> Result<String, Failure> {
    let n = Change::ALL.len();
    let of = |network: usize, change: Change| {
        let at = Change::ALL.iter().position(|c| *c == change).unwrap_or(0);
        courses[network * n + at].last()
    };
    let mut means = vec![];
    for change in Change::ALL {
        let mean = |f: &dyn Fn(&networks::Depth) -> f64| {
            let each = (0..networks).map(|i| f(&of(i, change)));
            each.sum::<f64>() / networks as f64
        };
        let (ratio, name) = (mean(&|d| d.ratio), change.name());
        bench.metric(&format!("decay/nc1/{name}"), ratio, "1")?;
        bench.metric(&format!("decay/nc2/{name}"), mean(&|d| d.simplex), "1")?;
        bench.metric(
            &format!("decay/accuracy/{name}"),
            mean(&|d| d.accuracy),
            "1",
        )?;
        means.push(format!("{ratio:.4} ({name})"));
    }
    if networks < 5 {
        for claim in claims::DECAY {
            bench.not_at_this_scale(claim, "asks for five networks of each kind");
        }
    }
    let moved = |i: usize, change: Change| of(i, change).ratio - of(i, Change::None).ratio;
    let count = |holds: &dyn Fn(usize) -> bool| (0..networks).filter(|&i| holds(i)).count() as f64;
    let more = count(&|i| {
        let by = |change| moved(i, change).abs();
        by(Change::FeaturesDoubled) > by(Change::HeadDoubled)
            && by(Change::FeaturesZero) > by(Change::HeadZero)
    });
    bench.metric("decay/features-over-head", more, "networks")?;
    let raised = count(&|i| moved(i, Change::FeaturesZero) > 0.0);
    bench.metric("decay/zero-raises", raised, "networks")?;
    let lowered = count(&|i| moved(i, Change::FeaturesDoubled) < 0.0);
    bench.metric("decay/double-lowers", lowered, "networks")?;
    let of_zero =
        count(&|i| moved(i, Change::FeaturesZero).abs() > moved(i, Change::HeadZero).abs());
    bench.metric("decay/features-over-head-zero", of_zero, "networks")?;
    let of_double =
        count(&|i| moved(i, Change::FeaturesDoubled).abs() > moved(i, Change::HeadDoubled).abs());
    bench.metric("decay/features-over-head-double", of_double, "networks")?;
    Ok(format!(
        "With weight decay changed, NC1 of the last hidden layer ends at {}; features matter more than the head in {more} of \
         {networks} networks.",
        means.join(", ")
    ))
}

fn spectra(config: &Config, bench: &mut Bench) -> Result<Spectrum, Failure> {
    let main = theory::spectrum(&config.model, Form::LargeBeta, config, bench)?;
    let exact = theory::spectrum(&config.model, Form::Exact, config, bench)?;
    bench.metric("spectrum/deviation", main.deviation, "1")?;
    bench.metric("spectrum/least", main.least(), "1")?;
    bench.metric("spectrum/cross", main.cross, "1")?;
    bench.metric("spectrum/exact-least", exact.least(), "1")?;
    bench.metric("spectrum/exact-cross", exact.cross, "1")?;
    if config.is_reference() {
        let apart = |s: &Spectrum, (own, cross): (f64, f64)| {
            (s.least() - own).abs().max((s.cross - cross).abs())
        };
        let found = apart(&main, LARGE_BETA);
        bench.metric("spectrum/reference-deviation", found, "1")?;
        let found = apart(&exact, EXACT);
        bench.metric("spectrum/exact-deviation", found, "1")?;
    } else {
        let why = "the reference values are of the default model and sizes";
        for claim in claims::REFERENCE {
            bench.not_at_this_scale(claim, why);
        }
    }
    let others: Result<Vec<Spectrum>, Failure> = config
        .decays
        .iter()
        .map(|&lambda_h| {
            let model = FeatureModel {
                lambda_h,
                ..config.model
            };
            theory::spectrum(&model, Form::LargeBeta, config, bench)
        })
        .collect();
    bench.figure(figures::staircase(&others?, config))?;
    bench.figure(figures::blocks(&main))?;
    let stairs = config.model.staircase(config.shape())?;
    let rows = stairs.own.iter();
    bench.table(Table {
        id: "staircase".into(),
        title: "Singular values of the block of a class with itself, by the closed form".into(),
        columns: ["singular value", "multiplicity"]
            .map(String::from)
            .to_vec(),
        rows: rows
            .map(|(v, n)| vec![format!("{v:.10}"), n.to_string()])
            .collect(),
    })?;
    Ok(main)
}

/// What twice the decay of features, and of the classifier, does.
fn damping(config: &Config, bench: &mut Bench) -> Result<(), Failure> {
    let model = FeatureModel {
        // Twice of it must still learn.
        lambda_h: config.model.lambda_h.min(0.4 / config.model.lambda_w),
        ..config.model
    };
    let features = FeatureModel {
        lambda_h: 2.0 * model.lambda_h,
        ..model
    };
    let head = FeatureModel {
        lambda_w: 2.0 * model.lambda_w,
        ..model
    };
    let (own, cross) = theory::damping(&model, config, bench)?;
    let (by_features, _) = theory::damping(&features, config, bench)?;
    let (by_head, cross_by_head) = theory::damping(&head, config, bench)?;
    bench.metric("damping/feature-decay", by_features / own, "1")?;
    bench.metric("damping/head-decay", by_head / own, "1")?;
    let ratio = cross_by_head / cross;
    bench.metric("damping/cross-talk-by-head-decay", ratio, "1")
}

fn report(config: &Config, springs: &Springs, bench: &mut Bench) -> Result<(), Failure> {
    let mut before = 0.0;
    let mut violations = 0;
    for (&found, beta) in springs.found.iter().zip(&config.springs) {
        violations += usize::from(!(found > before && found < springs.given));
        before = found;
        bench.metric(&format!("springs/quotient/{beta}"), found, "1")?;
    }
    bench.metric("springs/given", springs.given, "1")?;
    bench.metric("springs/free", springs.free, "1")?;
    bench.metric("springs/violations", violations as f64, "1")?;
    bench.figure(figures::springs(config, springs))
}

fn findings(config: &Config, main: &Spectrum, springs: &Springs) -> Findings {
    let last = |v: Option<&f64>| v.copied().unwrap_or(f64::NAN);
    let (weakest, strongest) = (last(springs.found.first()), last(springs.found.last()));
    Findings::new(format!(
        "At collapse ({} classes, {} samples of each, {} features) the perturbation's singular values are those of the closed \
         form to {:.0e}; what passes between classes is {:.2e}.",
        config.classes, config.per_class, config.features, main.deviation, main.cross
    ))
    .and(format!(
        "Random features with NC1~ = {:.2} come to {strongest:.2} under the strongest spring and to {weakest:.2} under the \
         weakest; without a spring, in the plain model of free features, to {:.1e}: that model collapses whatever it is given.",
        springs.given, springs.free
    ))
}
