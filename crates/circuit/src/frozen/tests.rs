use super::*;
use chiasm_core::{Diagnose, Quiet};
use chiasm_data::events::Steps;
use ndarray::Array2;
use rand::RngExt;

/// Samples of random events.
fn samples(n: usize, n_channels: usize, n_steps: usize, density: f64, seed: u64) -> Vec<Steps> {
    let streams = Streams::new(seed);
    let sample = |i| {
        let mut rng = streams.indexed("sample", i);
        let mut step = || -> Vec<u32> {
            let channels = 0..n_channels as u32;
            channels.filter(|_| rng.random_bool(density)).collect()
        };
        Steps::new(n_channels, (0..n_steps).map(|_| step()).collect()).unwrap()
    };
    (0..n).map(sample).collect()
}

fn weights(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
    let mut rng = Streams::new(seed).stream("weights");
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
}

/// The card's equations as they stand there, on dense vectors; sums go by source as in the reservoir.
fn oracle(
    input: &Array2<f32>,
    recurrent: &Array2<f32>,
    config: &Config,
    sample: &Steps,
) -> Vec<f32> {
    let n = recurrent.nrows();
    let (decay, threshold) = (config.decay as f32, config.threshold as f32);
    let gains = [config.input_gain, config.recurrent_gain].map(|g| (g * config.threshold) as f32);
    let (mut v, mut s, mut f) = (vec![0.0f32; n], vec![false; n], vec![0.0f32; n]);
    for events in sample.iter() {
        let before = s.clone();
        for j in 0..n {
            let mut current = 0.0;
            for e in events {
                current += gains[0] * input[[*e as usize, j]];
            }
            for i in 0..n {
                if before[i] {
                    current += gains[1] * recurrent[[i, j]];
                }
            }
            v[j] = decay * v[j] * f32::from(u8::from(!before[j])) + current;
            s[j] = v[j] > threshold;
            f[j] += f32::from(u8::from(s[j]));
        }
    }
    f
}

#[test]
fn counts_are_those_of_the_equations() {
    // Two whole blocks and part of a third.
    let (input, recurrent) = (weights(20, 75, 1), weights(75, 75, 2));
    let config = Config {
        n_neurons: 75,
        recurrent_gain: 0.2,
        input_gain: 0.5,
        ..Config::default()
    };
    let reservoir = Reservoir::of_weights(input.view(), recurrent.view(), &config).unwrap();
    let samples = samples(6, 20, 40, 0.1, 3);
    let encoded = reservoir
        .encode(&samples, &Streams::new(0), &Quiet)
        .unwrap();
    assert!((0.05..0.6).contains(&encoded.rate), "{}", encoded.rate);
    let total: f32 = encoded.counts.iter().sum();
    assert_eq!(f64::from(total) / (6.0 * 40.0 * 75.0), encoded.rate);
    for (sample, counts) in samples.iter().zip(encoded.counts.outer_iter()) {
        assert_eq!(counts.to_vec(), oracle(&input, &recurrent, &config, sample));
    }
}

#[test]
fn without_recurrence_and_decay_counts_are_steps_above_threshold() {
    let (input, none) = (weights(30, 50, 1), Array2::zeros((50, 50)));
    let config = Config {
        n_neurons: 50,
        decay: 0.0,
        input_gain: 0.7,
        ..Config::default()
    };
    let reservoir = Reservoir::of_weights(input.view(), none.view(), &config).unwrap();
    let samples = samples(5, 30, 60, 0.1, 4);
    let encoded = reservoir
        .encode(&samples, &Streams::new(0), &Quiet)
        .unwrap();
    let gain = (config.input_gain * config.threshold) as f32;
    for (sample, counts) in samples.iter().zip(encoded.counts.outer_iter()) {
        for (j, count) in counts.iter().enumerate() {
            let current = |events: &&[u32]| -> f32 {
                let each = events.iter().map(|e| gain * input[[*e as usize, j]]);
                each.fold(0.0, |a, b| a + b)
            };
            let above = sample
                .iter()
                .filter(|e| current(e) > config.threshold as f32);
            assert_eq!(above.count() as f32, *count);
        }
    }
}

#[test]
fn weights_and_threshold_scaled_alike_leave_every_spike() {
    for (case, power) in (-12..12).enumerate() {
        let seed = case as u64;
        let (input, recurrent) = (weights(12, 40, seed), weights(40, 40, 100 + seed));
        let config = Config {
            n_neurons: 40,
            decay: 0.04 * case as f64,
            input_gain: 0.6,
            recurrent_gain: 0.2,
            ..Config::default()
        };
        let samples = samples(2, 12, 30, 0.15, seed);
        let counts = |config: &Config| {
            let reservoir = Reservoir::of_weights(input.view(), recurrent.view(), config).unwrap();
            let encoded = reservoir.encode(&samples, &Streams::new(0), &Quiet);
            encoded.unwrap().counts
        };
        // Gains are in thresholds, so a larger threshold scales all weights with it. Powers of 2 round nothing.
        let threshold = config.threshold * 2f64.powi(power);
        let scaled = Config {
            threshold,
            ..config
        };
        assert_eq!(counts(&config), counts(&scaled), "times 2 to the {power}");
    }
}

#[test]
fn any_common_factor_leaves_the_counts_of_these_samples() {
    let (input, recurrent) = (weights(20, 64, 1), weights(64, 64, 2));
    let samples = samples(4, 20, 50, 0.1, 3);
    let counts = |threshold: f64| {
        let config = Config {
            n_neurons: 64,
            threshold,
            ..Config::default()
        };
        let reservoir = Reservoir::of_weights(input.view(), recurrent.view(), &config).unwrap();
        let encoded = reservoir.encode(&samples, &Streams::new(0), &Quiet);
        encoded.unwrap().counts
    };
    assert_eq!(counts(5.0), counts(0.37));
    assert_eq!(counts(5.0), counts(5.3));
}

#[test]
fn the_streams_are_the_chip_on_any_number_of_threads() {
    let config = Config {
        n_neurons: 70,
        ..Config::default()
    };
    let device = Device {
        read_noise: 0.1,
        stuck: 0.02,
        adc_bits: 8,
        ..Device::default()
    };
    let samples = samples(9, 40, 30, 0.2, 5);
    let counts = |chip: u64, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let reservoir = Reservoir::on_chip(40, &config, &device, &Streams::new(chip)).unwrap();
            reservoir
                .encode(&samples, &Streams::new(1), &Quiet)
                .unwrap()
                .counts
        })
    };
    assert_eq!(counts(1, 1), counts(1, 4));
    assert_ne!(counts(1, 1), counts(2, 1));
}

#[test]
fn a_quiet_chip_is_a_reservoir_of_its_weights() {
    let config = Config {
        n_neurons: 40,
        ..Config::default()
    };
    let device = Device::default();
    let samples = samples(4, 30, 30, 0.2, 5);
    let streams = Streams::new(7);
    let on_chip = Reservoir::on_chip(30, &config, &device, &streams).unwrap();
    let form = |name: &str, rows| {
        let crossbar = Crossbar::form(&device, rows, 40, &mut streams.stream(name)).unwrap();
        Array2::from_shape_vec((rows, 40), crossbar.weights().to_vec()).unwrap()
    };
    let (input, recurrent) = (form("input cells", 30), form("recurrent cells", 40));
    let same = Reservoir::of_weights(input.view(), recurrent.view(), &config).unwrap();
    let counts = |r: &Reservoir| r.encode(&samples, &Streams::new(0), &Quiet).unwrap().counts;
    assert_eq!(counts(&on_chip), counts(&same));
    // Noise and few levels change them; a fine converter with a wide range hardly does.
    let other =
        |device: Device| counts(&Reservoir::on_chip(30, &config, &device, &streams).unwrap());
    let distance = |a: &Array2<f32>| (a - &counts(&on_chip)).mapv(f32::abs).sum();
    let noisy = other(Device {
        read_noise: 0.05,
        ..device
    });
    assert!(distance(&noisy) > 0.0);
    let [coarse, fine] = [3, 20].map(|adc_bits| {
        other(Device {
            adc_bits,
            adc_range: 16.0,
            ..device
        })
    });
    assert!(
        distance(&coarse) > 20.0 * distance(&fine).max(1.0),
        "{} {}",
        distance(&coarse),
        distance(&fine)
    );
}

#[test]
fn the_gain_is_found_and_its_search_told() {
    let config = Config {
        n_neurons: 60,
        input_gain: 0.01,
        recurrent_gain: 0.002,
        ..Config::default()
    };
    let samples = samples(8, 40, 40, 0.1, 6);
    let streams = Streams::new(2);
    let reservoir = Reservoir::random(40, &config, &streams).unwrap();
    let silent = reservoir.encode(&samples, &streams, &Quiet).unwrap_err();
    assert!(matches!(silent, FrozenError::Silent { n_samples: 8, .. }));
    assert!(silent.help().unwrap().contains("raise `input_gain`"));
    let (found, search) = reservoir
        .with_rate(&samples, 0.18, &streams, &Quiet)
        .unwrap();
    let encoded = found.encode(&samples, &streams, &Quiet).unwrap();
    assert_eq!(encoded.rate, search.rate);
    assert!(
        (encoded.rate / 0.18 - 1.0).abs() <= 0.01,
        "{}",
        encoded.rate
    );
    assert!((found.config().input_gain / search.factor - 0.01).abs() < 1e-9);
    assert!(search.tried.contains(&(search.factor, search.rate)));
    // From above as from below.
    let (again, _) = found
        .scaled(300.0)
        .unwrap()
        .with_rate(&samples, 0.18, &streams, &Quiet)
        .unwrap();
    assert!((again.config().input_gain / found.config().input_gain - 1.0).abs() < 0.05);
    // Random weights of both signs do not make neurons spike in most steps, and no events in none.
    let refused = reservoir
        .with_rate(&samples, 0.79, &streams, &Quiet)
        .unwrap_err();
    assert!(matches!(refused, FrozenError::NoGain { .. }), "{refused}");
    assert!(
        reservoir
            .with_rate(&samples, 0.9, &streams, &Quiet)
            .is_err()
    );
    let empty = vec![Steps::new(40, vec![vec![]; 10]).unwrap()];
    let refused = reservoir
        .with_rate(&empty, 0.1, &streams, &Quiet)
        .unwrap_err();
    assert!(matches!(refused, FrozenError::NoGain { rate: 0.0, .. }));
}

#[test]
fn faults_are_named() {
    let config = Config {
        n_neurons: 30,
        ..Config::default()
    };
    let positive = Array2::from_elem((10, 30), 1.0);
    let recurrent = Array2::zeros((30, 30));
    let strong = Config {
        input_gain: 2.0,
        ..config
    };
    let saturated = Reservoir::of_weights(positive.view(), recurrent.view(), &strong).unwrap();
    let always = vec![Steps::new(10, vec![vec![0]; 20]).unwrap()];
    let error = saturated
        .encode(&always, &Streams::new(0), &Quiet)
        .unwrap_err();
    assert!(error.to_string().contains("100 % of all steps"), "{error}");
    assert!(error.help().unwrap().contains("lower `input_gain`"));

    let reservoir = Reservoir::random(10, &config, &Streams::new(0)).unwrap();
    let encode = |samples: &[Steps]| {
        reservoir
            .encode(samples, &Streams::new(0), &Quiet)
            .unwrap_err()
    };
    let other = vec![always[0].clone(), Steps::new(11, vec![vec![]]).unwrap()];
    let channels = FrozenError::Channels {
        sample: 1,
        expected: 10,
        found: 11,
    };
    assert_eq!(encode(&other), channels);
    assert!(matches!(encode(&[]), FrozenError::Empty { .. }));
    assert!(matches!(
        encode(&[Steps::new(10, vec![]).unwrap()]),
        FrozenError::Empty { .. }
    ));

    let refused = |config: Config| match Reservoir::random(10, &config, &Streams::new(0)) {
        Err(FrozenError::Setting(e)) => e.field,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused(Config {
            n_neurons: 0,
            ..config
        }),
        "n_neurons"
    );
    assert_eq!(
        refused(Config {
            decay: 1.1,
            ..config
        }),
        "decay"
    );
    assert_eq!(
        refused(Config {
            threshold: 0.0,
            ..config
        }),
        "threshold"
    );
    assert_eq!(
        refused(Config {
            input_gain: f64::NAN,
            ..config
        }),
        "input_gain"
    );
    assert_eq!(
        refused(Config {
            recurrent_gain: -1.0,
            ..config
        }),
        "recurrent_gain"
    );
    let mut broken = positive.clone();
    broken[[3, 3]] = f32::NAN;
    assert!(Reservoir::of_weights(broken.view(), recurrent.view(), &config).is_err());
    assert!(Reservoir::of_weights(positive.view(), positive.view(), &config).is_err());
    assert!(Reservoir::random(0, &config, &Streams::new(0)).is_err());
    assert!(reservoir.scaled(0.0).is_err() && reservoir.scaled(1e9).is_err());
}
