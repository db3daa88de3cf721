use chiasm_core::{Cancelled, Quiet, Streams, Watch};

use super::super::network::DelayNetwork;
use super::super::{Config, Delays, DelaysError, Event, Training, Trains};

/// Three channels in an order that tells one of three classes, somewhere in 16 steps.
fn trains(n: usize, seed: u64) -> Trains {
    use rand::RngExt;
    let mut rng = Streams::new(seed).stream("order");
    let samples = (0..n).map(|i| {
        let start = rng.random_range(0..5);
        let spikes = (0..3).map(|c| Event::new(start + 4 * ((c + i) % 3), c, 1.0));
        spikes.collect()
    });
    Trains::new(
        (16, 3),
        samples.collect(),
        (0..n).map(|i| i % 3).collect(),
        3,
    )
    .unwrap()
}

fn config(delays: Delays) -> Config {
    Config {
        hidden: vec![16],
        delays,
        max_delay_ms: 150.0,
        dropout: 0.0,
        epochs: 60,
        batch: 8,
        ..Config::default()
    }
}

fn trained(config: &Config, seed: u64) -> Training {
    let streams = Streams::new(seed);
    let start = Training::new(config, 3, 3, &streams).unwrap();
    start.finish(&trains(192, 1), &streams, &Quiet).unwrap()
}

#[test]
fn delays_tell_an_order_that_weights_alone_cannot() {
    let test = trains(96, 2);
    let accuracy = |delays| {
        let training = trained(&config(delays), 3);
        assert!(training.is_done());
        training.network().rounded().accuracy(&test).unwrap()
    };
    let (learned, none) = (accuracy(Delays::Learned), accuracy(Delays::None));
    assert!(learned > 0.95 && none < 0.7, "{learned} {none}");
}

#[test]
fn training_goes_on_from_where_it_stopped_on_any_number_of_threads() {
    let (config, train, streams) = (config(Delays::Learned), trains(50, 1), Streams::new(3));
    let config = Config {
        hidden: vec![10, 7],
        sparsity: 0.2,
        epochs: 4,
        ..config
    };
    let run = |threads: usize, stop: Option<usize>| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let mut training = Training::new(&config, 3, 3, &streams).unwrap();
            while !training.is_done() {
                training.epoch(&train, &streams, &Quiet).unwrap();
                if stop == Some(training.epochs().len()) {
                    let text = serde_json::to_string(&training).unwrap();
                    training = serde_json::from_str(&text).unwrap();
                }
            }
            training
        })
    };
    let one = run(1, None);
    assert_eq!(one, run(3, None));
    assert_eq!(one, run(2, Some(2)));
    // Missing synapses stay missing, positions within the kernel.
    let network = one.network();
    for layer in &network.layers {
        let missing = layer
            .weights
            .iter()
            .zip(&layer.exists)
            .filter(|(_, e)| !**e);
        assert!(missing.clone().count() > 0);
        assert!(missing.clone().all(|(w, _)| *w == 0.0));
        assert!(layer.positions.iter().all(|p| p.abs() <= 7.0));
    }
    let all = network.delays(0).unwrap();
    assert!(all.len() < 30 && all.iter().all(|d| (0.0..=14.0).contains(d)));
    assert!(network.delays(3).is_none());
}

#[test]
fn fixed_delays_stay_and_learned_ones_move() {
    for delays in [Delays::Fixed, Delays::Learned] {
        let config = Config {
            epochs: 2,
            ..config(delays)
        };
        let streams = Streams::new(3);
        let start = Training::new(&config, 3, 3, &streams).unwrap();
        let before = start.network().delays(0).unwrap();
        let end = start.finish(&trains(48, 1), &streams, &Quiet).unwrap();
        let after = end.network().delays(0).unwrap();
        assert_eq!(before == after, delays == Delays::Fixed);
        if delays == Delays::Fixed {
            assert!(after.iter().all(|d| d.fract() == 0.0));
        }
    }
}

#[test]
fn widths_fall_over_the_first_quarter() {
    let config = Config {
        epochs: 40,
        ..Config::default()
    };
    assert_eq!(config.sigma(0), 12.0);
    assert!((config.sigma(5) - (12.0f64 * 0.23).sqrt()).abs() < 1e-12);
    assert_eq!(config.sigma(10), 0.23);
    assert_eq!(config.sigma(39), 0.23);
    assert!((config.leak() - (1.0 - 10.0 / 10.05)).abs() < 1e-15);
    assert_eq!(config.kernel_length(), (25, false));
    let even = Config {
        max_delay_ms: 300.0,
        ..config
    };
    assert_eq!(even.kernel_length(), (31, true));
}

#[test]
fn the_published_network_has_a_fifth_of_a_million_parameters() {
    let network = DelayNetwork::<f32>::new(&Config::default(), 140, 20, &Streams::new(0)).unwrap();
    assert_eq!(
        network.n_parameters(),
        2 * (140 * 256 + 256 * 256 + 256 * 20) + 4 * 256
    );
}

struct Stopped;

impl Watch for Stopped {
    fn stage(&self, _: &str, _: u64) {}
    fn tick(&self, _: u64) {}
    fn cancelled(&self) -> bool {
        true
    }
}

#[test]
fn a_stopped_epoch_leaves_nothing() {
    let streams = Streams::new(3);
    let mut training = Training::new(&config(Delays::Learned), 3, 3, &streams).unwrap();
    let before = training.clone();
    let stopped = training.epoch(&trains(48, 1), &streams, &Stopped);
    assert_eq!(stopped, Err(DelaysError::Cancelled(Cancelled)));
    assert_eq!(training, before);
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let refused = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        assert!(config.validate().is_ok());
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(refused(&|c| c.hidden = vec![]), "hidden");
    assert_eq!(refused(&|c| c.tau_ms = 9.0), "tau_ms");
    assert_eq!(refused(&|c| c.max_delay_ms = 9.0), "max_delay_ms");
    assert_eq!(refused(&|c| c.step_ms = f64::NAN), "step_ms");
    assert_eq!(refused(&|c| c.dropout = 1.0), "dropout");
    assert_eq!(refused(&|c| c.sigma_start = Some(0.1)), "sigma_start");
    assert_eq!(refused(&|c| c.peak_rate = f64::INFINITY), "peak_rate");

    let event = |t, c, v| vec![Event::new(t, c, v)];
    let new = |samples, labels| Trains::new((4, 3), samples, labels, 2);
    let told = |samples, labels| new(samples, labels).unwrap_err().to_string();
    assert!(told(vec![event(4, 0, 1.0)], vec![0]).contains("step of an event: expected below 4"));
    assert!(told(vec![event(0, 3, 1.0)], vec![0]).contains("channel"));
    assert!(told(vec![event(0, 0, f32::NAN)], vec![0]).contains("a finite number"));
    assert!(told(vec![vec![]], vec![0]).contains("sample 0: expected events"));
    assert!(told(vec![event(0, 0, 1.0)], vec![2]).contains("a class below 2, found 2"));
    assert!(told(vec![event(0, 0, 1.0)], vec![]).contains("one for each sample"));
    let empty = Trains::new((0, 3), vec![vec![]], vec![0], 2);
    assert!(empty.unwrap_err().to_string().contains("steps"));
    // Twice in one step is a count of two.
    let twice = vec![
        Event::new(1, 1, 1.0),
        Event::new(0, 2, 1.0),
        Event::new(1, 1, 1.0),
    ];
    let kept = new(vec![twice], vec![0]).unwrap();
    assert_eq!(
        kept.samples()[0],
        [Event::new(0, 2, 1.0), Event::new(1, 1, 2.0)]
    );

    let streams = Streams::new(0);
    let mut network = DelayNetwork::<f32>::new(&config(Delays::Learned), 3, 3, &streams).unwrap();
    let mut told =
        |layer, w: &[f32], p: &[f32]| network.set_synapses(layer, w, p).unwrap_err().to_string();
    assert!(told(2, &[], &[]).contains("below 2"));
    assert!(told(0, &[0.0; 48], &[]).contains("synapses: expected 48, found 0"));
    assert!(told(0, &[f32::NAN; 48], &[0.0; 48]).contains("a finite weight"));
    assert!(told(0, &[0.0; 48], &[7.5; 48]).contains("a position from -7 to 7"));
    network.set_synapses(0, &[0.5; 48], &[-7.0; 48]).unwrap();
    assert!(network.delays(0).unwrap().iter().all(|d| *d == 14.0));

    let mut training = Training::new(&config(Delays::None), 3, 3, &streams).unwrap();
    assert!(training.epoch(&kept, &streams, &Quiet).is_err());
    let other = training
        .network()
        .rounded()
        .accuracy(&trains(3, 1).relabelled(vec![0, 1, 2]).unwrap());
    assert!(other.is_ok());
}

#[test]
fn a_rate_beyond_reason_is_an_error_and_not_a_number() {
    let wild = Config {
        peak_rate: 10.0,
        dropout: 0.0,
        ..config(Delays::Learned)
    };
    let streams = Streams::new(3);
    let mut training = Training::new(&wild, 3, 3, &streams).unwrap();
    // An input so large that single precision cannot hold what arrives.
    let large = vec![vec![Event::new(0, 0, 3e38), Event::new(0, 1, 3e38)]; 4];
    let train = Trains::new((4, 3), large, vec![0, 1, 2, 0], 3).unwrap();
    let error = training.epoch(&train, &streams, &Quiet).unwrap_err();
    assert!(
        matches!(error, DelaysError::Diverged { epoch: 0, .. }),
        "{error}"
    );
}
