//! The experiment: images alone under four priors, then counts and images together beside each alone and beside a model
//! that shares nothing.

use chiasm_core::{Failure, Streams};
use chiasm_data::datasets::images::{LabelledImages, Split};
use chiasm_data::datasets::{Roots, find};
use chiasm_data::generate::{RotatingDigits, rotating_digits};
use chiasm_lab::{Bench, Findings};
use chiasm_net::models::mm_gpvae::{
    Fitted, Missing, MmGpVae, Modalities, Prior, Trials, log_likelihood_per_count,
};
use ndarray::{Array2, Array3, Axis};

use super::arms::{Arm, Data, infer, mse, regress, split, trained, truth};
use super::config::{Config, Digits};
use super::figures;

/// Degrees for each unit of the first latent are the generator's; the latents come in this order.
const ANGLE: usize = 0;
const NEURAL: usize = 1;
const ZOOM: usize = 2;

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let exemplars = exemplars(config.digits, bench)?;
    let made = |generator: &RotatingDigits, name, bench: &Bench| {
        let streams = bench.streams().child(name);
        make(generator, exemplars.as_ref(), config.test_trials, &streams)
    };
    let alone = RotatingDigits {
        n_bins: config.single_bins,
        zoom: false,
        n_units: 1,
        ..config.data.clone()
    };
    let alone = made(&alone, "images alone", bench)?;
    let together = made(&config.data, "both", bench)?;
    let (priors, streams) = (
        priors(config, &alone.train),
        streams(config, &together.train),
    );
    // In one list, so that no core waits for the last of the first part.
    let n_priors = priors.len();
    let arms: Vec<Arm> = priors.into_iter().chain(streams).collect();
    let mut fitted = trained(&arms, config.checkpoint_epochs, bench)?;
    let names = |arms: &[Arm]| arms.iter().map(|a| a.name).collect::<Vec<_>>();
    let of_both = fitted.split_off(n_priors);
    let of_priors = names(&arms[..n_priors]).into_iter().zip(fitted).collect();
    let of_both = names(&arms[n_priors..]).into_iter().zip(of_both).collect();
    let single = images_alone(config, &alone, of_priors, bench)?;
    let both = both_streams(config, &together, of_both, bench)?;
    Ok(Findings::new(single).and(both))
}

/// The digits that turn: `None` for the drawn one.
fn exemplars(digits: Digits, bench: &mut Bench) -> Result<Option<Array3<u8>>, Failure> {
    let name = match digits {
        Digits::Drawn => return Ok(None),
        Digits::Mnist => "mnist",
        Digits::FashionMnist => "fashion-mnist",
    };
    let found =
        find(name).and_then(|set| LabelledImages::open(set, &Roots::from_env(), Split::Train));
    let images = match found {
        Ok(images) => images,
        Err(e) => {
            bench.note(format!("a drawn 3 stands in for {name}: {e}"));
            return Ok(None);
        }
    };
    let all = images.load()?;
    let threes: Vec<usize> = (0..all.labels.len())
        .filter(|&i| all.labels[i] == 3)
        .collect();
    Ok(Some(all.images.select(Axis(0), &threes)))
}

fn make(
    generator: &RotatingDigits,
    exemplars: Option<&Array3<u8>>,
    n_test: usize,
    streams: &Streams,
) -> Result<Data, Failure> {
    let made = rotating_digits(generator, exemplars, streams)?;
    let (train_counts, test_counts) = split(&made.counts, n_test);
    let (train_images, test_images) = split(&made.images, n_test);
    let (train_latents, test_latents) = split(&made.latents, n_test);
    let trials = |c: Array3<f32>, i: Array3<f32>| Trials::new(Some(c), Some(i), Missing::Refuse);
    Ok(Data {
        train: trials(train_counts, train_images)?,
        test: trials(test_counts.clone(), test_images.clone())?,
        test_counts,
        test_images,
        train_latents,
        test_latents,
    })
}

/// Models of images alone: one latent, under four priors.
fn priors<'a>(config: &Config, trials: &'a Trials) -> Vec<Arm<'a>> {
    let arm = |name, prior| Arm {
        name,
        trials,
        model: MmGpVae {
            modalities: Modalities::Behavior,
            prior,
            n_behavior: 1,
            n_neural: 1,
            n_shared: 0,
            batch: config.single_batch,
            epochs: config.single_epochs,
            behavior_rate: config.single_rate,
            starts: config.single_starts,
            ..config.model.clone()
        },
    };
    vec![
        arm("fourier", Prior::Fourier),
        arm("unpruned", Prior::Unpruned),
        arm("time", Prior::Time),
        arm("vae", Prior::Independent),
    ]
}

/// Models of counts and images together, of each alone, and of both with nothing shared.
fn streams<'a>(config: &Config, trials: &'a Trials) -> Vec<Arm<'a>> {
    let arm = |name, modalities, n_shared| Arm {
        name,
        trials,
        model: MmGpVae {
            modalities,
            n_shared,
            ..config.model.clone()
        },
    };
    vec![
        arm("mm", Modalities::Both, config.model.n_shared),
        arm("gpfa", Modalities::Neural, 0),
        arm("gp_vae", Modalities::Behavior, 0),
        arm("unshared", Modalities::Both, 0),
    ]
}

/// What each prior finds in images alone.
fn images_alone(
    config: &Config,
    data: &Data,
    models: Vec<(&'static str, Fitted)>,
    bench: &mut Bench,
) -> Result<String, Failure> {
    let (train_angle, test_angle) = (
        truth(&data.train_latents, ANGLE, config.data.degrees),
        truth(&data.test_latents, ANGLE, config.data.degrees),
    );
    let mut rows = Vec::new();
    for (name, fitted) in models {
        let inferred = infer(&fitted, &data.train, &data.test)?;
        let (fit, predicted, _) = regress(&inferred, 0..1, &train_angle, &test_angle)?;
        bench.metric(&format!("angle_r2/{name}"), fit.r2, "1")?;
        bench.metric(&format!("angle_mse/{name}"), fit.mse, "deg2")?;
        rows.push((name, fit, predicted, fitted));
    }
    let ours = rows[0].1;
    for (name, fit, ..) in &rows[1..] {
        bench.metric(&format!("angle_mse_ratio/{name}"), fit.mse / ours.mse, "1")?;
    }
    figures::single(
        config,
        data,
        test_angle.column(0).as_slice().unwrap_or(&[]),
        &rows,
        bench,
    )?;
    let said: Vec<String> = rows
        .iter()
        .map(|(name, fit, ..)| format!("{name} {:.3} ({:.0} deg2)", fit.r2, fit.mse))
        .collect();
    Ok(format!(
        "From images alone the latent tells the angle of held-out trials with R2 (mean squared error): {}.",
        said.join(", ")
    ))
}

/// A trained model of the multi-modal part, with its place in the held-out table.
pub(super) struct Scored {
    pub name: &'static str,
    pub fitted: Fitted,
    /// Held-out bound, nats per trial.
    pub bound: f64,
    /// Held-out log-likelihood of counts, nats per spike.
    pub log_likelihood: Option<f64>,
    /// Held-out squared error of images, grey levels squared.
    pub image_mse: Option<f64>,
    pub images: Option<Array3<f32>>,
    pub rates: Option<Array3<f32>>,
}

fn both_streams(
    config: &Config,
    data: &Data,
    models: Vec<(&'static str, Fitted)>,
    bench: &mut Bench,
) -> Result<String, Failure> {
    let mut arms = Vec::new();
    for (name, fitted) in models {
        let streams = bench.streams().clone();
        let bound = fitted.bound(&data.test, 4, &streams)?.bound;
        let made = fitted.reconstruct(&data.test)?;
        let log_likelihood = made
            .neural
            .as_ref()
            .map(|r| log_likelihood_per_count(&data.test_counts, r))
            .transpose()?;
        let image_mse = made.behavior.as_ref().map(|i| mse(i, &data.test_images));
        bench.metric(&format!("held_out_bound/{name}"), bound, "nat")?;
        if let Some(v) = log_likelihood {
            bench.metric(&format!("log_likelihood_per_spike/{name}"), v, "nat")?;
        }
        if let Some(v) = image_mse {
            bench.metric(&format!("image_mse/{name}"), v, "grey2")?;
        }
        arms.push(Scored {
            name,
            fitted,
            bound,
            log_likelihood,
            image_mse,
            images: made.behavior,
            rates: made.neural,
        });
    }
    let said = scores(config, data, &arms, bench)?;
    figures::both(config, data, &arms, bench)?;
    Ok(said)
}

fn scores(
    config: &Config,
    data: &Data,
    arms: &[Scored],
    bench: &mut Bench,
) -> Result<String, Failure> {
    let [mm, gpfa, gp_vae, unshared] = arms else {
        unreachable!("four arms")
    };
    let target = |column: usize, scale: f64| {
        (
            truth(&data.train_latents, column, scale),
            truth(&data.test_latents, column, scale),
        )
    };
    let (angle, private, zoom) = (
        target(ANGLE, config.data.degrees),
        target(NEURAL, 1.0),
        target(ZOOM, 1.0),
    );
    let size = (zoom.0.mapv(f64::abs), zoom.1.mapv(f64::abs));
    let inferred = infer(&mm.fitted, &data.train, &data.test)?;
    let [own, shared, other] = mm.fitted.latents().blocks();
    let mut r2 = |name: &str,
                  columns: &std::ops::Range<usize>,
                  of: &(Array2<f64>, Array2<f64>)|
     -> Result<f64, Failure> {
        let (fit, ..) = regress(&inferred, columns.clone(), &of.0, &of.1)?;
        bench.metric(name, fit.r2, "1")?;
        Ok(fit.r2)
    };
    let shared_angle = r2("latent_r2/shared_angle", &shared, &angle)?;
    let neural_only = r2("latent_r2/neural_only", &own, &private)?;
    let behavior_zoom = r2("latent_r2/behavior_zoom", &other, &zoom)?;
    r2("latent_r2/behavior_zoom_size", &other, &size)?;
    r2("leak_r2/neural_in_behavior", &other, &private)?;
    r2("leak_r2/zoom_in_neural", &own, &zoom)?;
    r2("leak_r2/angle_in_neural", &own, &angle)?;
    r2("leak_r2/angle_in_behavior", &other, &angle)?;
    let all = 0..mm.fitted.latents().total();
    r2("latent_r2/joint_angle", &all, &angle)?;
    r2("latent_r2/joint_neural", &all, &private)?;
    r2("latent_r2/joint_zoom", &all, &zoom)?;

    // One stream alone at test; the regression is that of both.
    for (name, test) in [
        ("images_only/angle_r2", data.test.without_neural()?),
        ("counts_only/angle_r2", data.test.without_behavior()?),
    ] {
        let alone = super::arms::Inferred {
            train: inferred.train.clone(),
            test: mm.fitted.posterior(&test)?,
        };
        let (fit, ..) = regress(&alone, shared.clone(), &angle.0, &angle.1)?;
        bench.metric(name, fit.r2, "1")?;
    }

    // Without a shared latent.
    let apart = infer(&unshared.fitted, &data.train, &data.test)?;
    let [own, _, other] = unshared.fitted.latents().blocks();
    let (of_neural, ..) = regress(&apart, own, &angle.0, &angle.1)?;
    let (of_images, ..) = regress(&apart, other, &angle.0, &angle.1)?;
    bench.metric("unshared/angle_r2_neural", of_neural.r2, "1")?;
    bench.metric("unshared/angle_r2_behavior", of_images.r2, "1")?;
    bench.metric(
        "unshared/angle_r2_least",
        of_neural.r2.min(of_images.r2),
        "1",
    )?;
    bench.metric("bound_gain_of_sharing", mm.bound - unshared.bound, "nat")?;

    // What sharing does for each stream.
    let gain = mm.log_likelihood.unwrap_or(f64::NAN) - gpfa.log_likelihood.unwrap_or(f64::NAN);
    bench.metric("log_likelihood_gain_over_gpfa", gain, "nat")?;
    let ratio = mm.image_mse.unwrap_or(f64::NAN) / gp_vae.image_mse.unwrap_or(f64::NAN);
    bench.metric("image_mse_over_gp_vae", ratio, "1")?;
    bench.metric("bound_rises", rises(&mm.fitted), "1")?;
    if let Some(&length) = mm.fitted.length_bins().first() {
        bench.metric("length_bins/mm", length, "bin")?;
    }
    for warning in mm.fitted.warnings() {
        bench.note(warning);
    }
    Ok(format!(
        "Of counts and images together, on held-out trials, the shared latent tells the angle (R2 {shared_angle:.3}), the \
         neural-only latent what drives the neurons alone ({neural_only:.3}), the behavior-only latent the zoom \
         ({behavior_zoom:.3}). Against the models of one stream, counts gain {gain:.4} nats per spike and images have {ratio:.3} \
         times the squared error.",
    ))
}

/// Of the tenths of training, the share whose mean bound is not below that of the tenth before.
fn rises(fitted: &Fitted) -> f64 {
    let bounds: Vec<f64> = fitted.training().trace.iter().map(|e| e.bound).collect();
    let n = bounds.len();
    let means: Vec<f64> = (0..10)
        .map(|k| chiasm_core::stats::mean(&bounds[k * n / 10..(k + 1) * n / 10]))
        .collect();
    means.windows(2).filter(|w| w[1] >= w[0]).count() as f64 / 9.0
}
