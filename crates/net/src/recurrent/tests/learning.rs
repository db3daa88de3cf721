use chiasm_core::Quiet;

use super::*;

/// The class of the last step is the channel that was on at the first.
fn memory(n: usize, rng: &mut chiasm_core::Rng) -> Sequences<f32> {
    let mut x = Array3::zeros((4, n, 2));
    let mut y = Array2::zeros((4, n));
    for b in 0..n {
        let which = rng.random_range(0..2usize);
        x[[0, b, which]] = 1.0;
        y[[3, b]] = which + 1;
    }
    Sequences::new(x, y).unwrap()
}

fn start(seed: u64) -> Recurrent<f32> {
    let config = RecurrentConfig {
        inputs: 2,
        hidden: 24,
        ..RecurrentConfig::default()
    };
    let streams = Streams::new(seed);
    let weights = starts::gaussian(24, 1.25, &mut streams.stream("w")).unwrap();
    Recurrent::new(&config, weights.view(), &mut streams.stream("rest")).unwrap()
}

fn config() -> RecurrentTrainingConfig {
    RecurrentTrainingConfig {
        iterations: 600,
        rate: 0.03,
        every: 50,
        ..RecurrentTrainingConfig::default()
    }
}

#[test]
fn it_learns_to_remember_and_goes_on_to_the_same_bits() {
    let streams = Streams::new(2);
    let draw = |rng: &mut chiasm_core::Rng| Ok(memory(16, rng));
    let mut whole = RecurrentTraining::new(&config(), start(2)).unwrap();
    let course = whole.advance(600, &streams, &Quiet, draw).unwrap();
    assert_eq!((course.len(), whole.iterations()), (12, 600));
    assert!(course[11] < 0.1 * course[0], "{course:?}");
    let test = memory(200, &mut streams.stream("test"));
    let (_, right) = whole.network().score(&test, Read::Last).unwrap();
    assert!(right > 0.99, "{right}");
    let mut parts = RecurrentTraining::new(&config(), start(2)).unwrap();
    parts.advance(217, &streams, &Quiet, draw).unwrap();
    let mut parts = parts.clone();
    parts.advance(600, &streams, &Quiet, draw).unwrap();
    assert_eq!(parts.network(), whole.network());
}

#[test]
fn selected_trials_go_through_the_network_as_before() {
    let (network, trials) = small(Activation::Tanh, 2);
    let all = network.run(&trials).unwrap().outputs();
    let some = network
        .run(&trials.select(&[3, 1, 3, 9]))
        .unwrap()
        .outputs();
    assert_eq!(some.dim(), (5, 3, 3));
    for (i, b) in [3, 1, 3].into_iter().enumerate() {
        for t in 0..5 {
            for k in 0..3 {
                assert!((some[[t, i, k]] - all[[t, b, k]]).abs() < 1e-14);
            }
        }
    }
}

#[test]
fn signs_are_kept_where_asked() {
    let config = RecurrentTrainingConfig {
        keep_signs: true,
        ..config()
    };
    let before = start(4).recurrent();
    let mut training = RecurrentTraining::new(&config, start(4)).unwrap();
    let draw = |rng: &mut chiasm_core::Rng| Ok(memory(16, rng));
    training
        .advance(100, &Streams::new(1), &Quiet, draw)
        .unwrap();
    let after = training.into_network().recurrent();
    assert!(before.iter().zip(&after).all(|(b, a)| b * a >= 0.0));
    assert!(before != after);
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let (network, trials) = small(Activation::Relu, 6);
            network.tangent_kernel(&trials, Read::All).unwrap()
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn trials_and_settings_that_do_not_fit_are_refused() {
    let (network, trials) = small(Activation::Relu, 1);
    let text = |e: RecurrentError| e.to_string();
    let other = Sequences::new(Array3::zeros((2, 2, 5)), Array2::zeros((2, 2))).unwrap();
    assert!(text(network.run(&other).unwrap_err()).contains("expected 2, found 5"));
    let mut y = trials.labels().clone();
    y[[2, 1]] = 9;
    let wrong = Sequences::new(trials.inputs().clone(), y).unwrap();
    assert!(text(network.run(&wrong).unwrap_err()).contains("step 2, trial 1"));
    assert!(Sequences::new(Array3::<f64>::zeros((2, 2, 1)), Array2::zeros((2, 3))).is_err());
    assert!(Sequences::new(Array3::<f64>::zeros((0, 2, 1)), Array2::zeros((0, 2))).is_err());
    let holes = Array3::from_elem((1, 2, 1), f64::NAN);
    assert!(text(Sequences::new(holes, Array2::zeros((1, 2))).unwrap_err()).contains("row 0"));
    let field = |change: &dyn Fn(&mut RecurrentConfig)| {
        let mut config = RecurrentConfig::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(field(&|c| c.hidden = 0), "hidden");
    assert_eq!(field(&|c| c.leak = vec![1.0, 1.0]), "leak");
    assert_eq!(field(&|c| c.leak = vec![0.0]), "leak.0");
    let bad = RecurrentTrainingConfig {
        momentum: 1.0,
        ..RecurrentTrainingConfig::default()
    };
    assert_eq!(bad.validate().unwrap_err().field, "momentum");
    // Weights that explode are said to.
    let wild = Array2::from_elem((300, 300), 1e30);
    let streams = Streams::new(1);
    let config = RecurrentConfig::default();
    let network = Recurrent::<f32>::new(&config, wild.view(), &mut streams.stream("r")).unwrap();
    let x = Sequences::new(Array3::from_elem((8, 2, 3), 1.0), Array2::zeros((8, 2))).unwrap();
    assert!(text(network.run(&x).unwrap_err()).contains("not finite"));
}
