//! Every built-in model: gradients against differences, refusals, and a movie worked out by hand.

use chiasm_core::{Rng, Streams};
use ndarray::{Array2, array};
use rand::RngExt;

use crate::stimuli::{
    Ascent, Dense, Energy, Groups, LinearNonlinear, Movie, MovieFilters, Nonlinearity,
    Normalization, Postprocess, Precision, ResponseModel, StepRule, StimuliError, StimulusShape,
};

fn draws(shape: (usize, usize), rng: &mut Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn(shape, || rng.random::<f64>() - 0.5)
}

fn list(n: usize, rng: &mut Rng) -> Vec<f64> {
    (0..n).map(|_| rng.random::<f64>() - 0.5).collect()
}

fn models(rng: &mut Rng) -> Vec<(&'static str, Box<dyn ResponseModel>)> {
    let image = StimulusShape::image(4, 3);
    let movie = StimulusShape::movie(2, 6, 3, 2);
    let mut all: Vec<(&'static str, Box<dyn ResponseModel>)> = vec![];
    for (name, nonlinearity) in [
        ("softplus", Nonlinearity::Softplus),
        ("relu", Nonlinearity::Relu),
        ("exp", Nonlinearity::Exp),
        ("identity", Nonlinearity::Identity),
    ] {
        let model = LinearNonlinear::new(image, draws((5, 12), rng), nonlinearity).unwrap();
        let model = model.with_gains(list(5, rng)).unwrap();
        all.push((name, Box::new(model.with_offsets(list(5, rng)).unwrap())));
    }
    let energy = Energy::new(
        image,
        &draws((5, 12), rng),
        &draws((5, 12), rng),
        list(5, rng),
        list(5, rng),
        Nonlinearity::Softplus,
    );
    all.push(("energy", Box::new(energy.unwrap())));
    let filters = MovieFilters {
        space: vec![draws((5, 6), rng), draws((5, 6), rng)],
        time: vec![draws((5, 3), rng), draws((5, 3), rng)],
        gains: list(5, rng),
        offsets: list(5, rng),
    };
    // A window that begins before the filters are filled, and one that does not.
    for window in [1..4, 4..6] {
        let model = Movie::new(movie, filters.clone(), Nonlinearity::Softplus, window);
        all.push(("movie", Box::new(model.unwrap())));
    }
    let dense = Dense::new(
        image,
        draws((7, 12), rng),
        list(7, rng),
        Nonlinearity::Softplus,
        draws((5, 7), rng),
        list(5, rng),
        Nonlinearity::Softplus,
    );
    all.push(("dense", Box::new(dense.unwrap())));
    all
}

#[test]
fn gradients_agree_with_differences_to_a_hundred_thousandth() {
    let mut rng = Streams::new(4).stream("models");
    for (name, model) in models(&mut rng) {
        let pixels = model.shape().n_pixels();
        let reference = model.scores((draws((20, pixels), &mut rng) * 4.0).view());
        let normalization = Normalization::from_responses(reference.view()).unwrap();
        let groups = Groups::new(&[0, 1, 0, 2, 1]).unwrap();
        for smoothness in [0.0, 0.3] {
            let ascent = Ascent {
                smoothness,
                rule: StepRule::Raw,
                ..Ascent::default()
            };
            let stimuli = draws((3, pixels), &mut rng);
            let on = [0, 1, 2];
            let of = |s: &Array2<f64>| {
                let found = ascent.gradient(&*model, &normalization, &groups, &on, s);
                found.unwrap()
            };
            let exact = of(&stimuli).gradient;
            let (mut worst, mut size) = (0.0_f64, 0.0_f64);
            for k in 0..3 {
                for p in 0..pixels {
                    let at = |d: f64| {
                        let mut moved = stimuli.clone();
                        moved[[k, p]] += d;
                        -of(&moved).losses[k]
                    };
                    let by_differences = (at(1e-5) - at(-1e-5)) / 2e-5;
                    worst = worst.max((exact[[k, p]] - by_differences).abs());
                    size = size.max(by_differences.abs());
                }
            }
            assert!(worst < 1e-5 * (1.0 + size), "{name}: {worst} of {size}");
        }
    }
}

#[test]
fn single_precision_gives_nearly_the_same() {
    let mut rng = Streams::new(5).stream("models");
    let filters = draws((300, 400), &mut rng);
    let shape = StimulusShape::image(20, 20);
    let double = LinearNonlinear::new(shape, filters, Nonlinearity::Softplus).unwrap();
    let single = double.clone().with_precision(Precision::Single);
    let stimuli = draws((9, 400), &mut rng);
    let (a, b) = (double.scores(stimuli.view()), single.scores(stimuli.view()));
    assert!((&a - &b).iter().all(|d| d.abs() < 1e-4));
    let one = |model: &dyn ResponseModel| model.pull_back(stimuli.view(), &mut |s| s);
    let (a, b) = (one(&double), one(&single));
    assert!((&a - &b).iter().all(|d| d.abs() < 1e-3));
}

#[test]
fn a_movie_by_hand() {
    // One neuron, one pixel: the present frame counts once, the one before twice.
    let filters = MovieFilters {
        space: vec![array![[1.0]]],
        time: vec![array![[1.0, 2.0]]],
        gains: vec![1.0],
        offsets: vec![0.0],
    };
    let shape = StimulusShape::movie(1, 4, 1, 1);
    let score = |window| {
        let model = Movie::new(shape, filters.clone(), Nonlinearity::Identity, window).unwrap();
        model.scores(array![[1.0, 10.0, 100.0, 1000.0]].view())[[0, 0]]
    };
    // Before the first frame there is nothing.
    assert_eq!(score(0..1), 1.0);
    assert_eq!(score(1..2), 12.0);
    assert_eq!(score(1..3), (12.0 + 120.0) / 2.0);
    assert_eq!(score(3..4), 1200.0);
}

#[test]
fn energy_is_blind_to_phase_and_softplus_to_overflow() {
    let shape = StimulusShape::image(1, 2);
    let energy = Energy::new(
        shape,
        &array![[1.0, 0.0]],
        &array![[0.0, 1.0]],
        vec![2.0],
        vec![-1.0],
        Nonlinearity::Identity,
    );
    let energy = energy.unwrap();
    for phase in [0.0, 0.4, 2.0, 5.0] {
        let stimulus = array![[3.0 * f64::cos(phase), 3.0 * f64::sin(phase)]];
        assert!((energy.scores(stimulus.view())[[0, 0]] - 17.0).abs() < 1e-12);
    }
    assert_eq!(Nonlinearity::Softplus.value(1e4), 1e4);
    assert_eq!(Nonlinearity::Softplus.value(-1e4), 0.0);
    assert!((Nonlinearity::Softplus.value(0.0) - 2f64.ln()).abs() < 1e-15);
}

/// A plug-in that gives what it is told to.
struct Told(Array2<f64>);

impl ResponseModel for Told {
    fn n_neurons(&self) -> usize {
        3
    }
    fn shape(&self) -> StimulusShape {
        StimulusShape::image(2, 2)
    }
    fn scores(&self, stimuli: ndarray::ArrayView2<f64>) -> Array2<f64> {
        let rows = self.0.view();
        Array2::from_shape_fn((stimuli.nrows(), self.0.ncols()), |(_, i)| rows[[0, i]])
    }
    fn pull_back(
        &self,
        stimuli: ndarray::ArrayView2<f64>,
        weigh: &mut dyn FnMut(Array2<f64>) -> Array2<f64>,
    ) -> Array2<f64> {
        weigh(self.scores(stimuli));
        Array2::zeros(stimuli.raw_dim())
    }
}

#[test]
fn faults_are_refused_by_name() {
    let shape = StimulusShape::image(2, 2);
    let softplus = Nonlinearity::Softplus;
    let wrong = LinearNonlinear::new(shape, Array2::zeros((3, 5)), softplus);
    assert!(matches!(
        wrong,
        Err(StimuliError::Shape {
            what: "filters",
            ..
        })
    ));
    let nan = LinearNonlinear::new(shape, array![[0.0, f64::NAN, 0.0, 0.0]], softplus);
    let message = nan.unwrap_err().to_string();
    assert!(message.contains("row 0, column 1"), "{message}");
    let none = LinearNonlinear::new(StimulusShape::image(0, 2), Array2::zeros((3, 0)), softplus);
    assert!(none.is_err());
    let gains = LinearNonlinear::new(shape, Array2::zeros((3, 4)), softplus).unwrap();
    assert!(matches!(
        gains.with_gains(vec![1.0]),
        Err(StimuliError::PerNeuron {
            what: "gains",
            expected: 3,
            found: 1
        })
    ));
    let ascent = Ascent::default();
    let groups = Groups::new(&[0, 1, 1]).unwrap();
    let run = |model: &Told, stimuli: Array2<f64>| {
        let n = Normalization::none(3);
        let found = ascent.run(model, &n, &groups, stimuli, &chiasm_core::Quiet);
        found.unwrap_err().to_string()
    };
    let message = run(&Told(array![[1.0, 2.0]]), Array2::ones((2, 4)));
    assert!(message.contains("scores: expected [2, 3]"), "{message}");
    let message = run(
        &Told(array![[1.0, 2.0, f64::INFINITY]]),
        Array2::ones((2, 4)),
    );
    assert!(
        message.contains("column 2") && message.contains("inf"),
        "{message}"
    );
    let message = run(&Told(array![[1.0, 2.0, 3.0]]), Array2::ones((2, 5)));
    assert!(
        message.contains("stimuli: expected [stimulus, 4]"),
        "{message}"
    );
    let message = run(&Told(array![[1.0, 2.0, 3.0]]), Array2::ones((1, 4)));
    assert!(message.contains("one for each of 2 clusters"), "{message}");
    for (postprocess, field) in [
        (
            Postprocess {
                norm: Some(0.0),
                ..Postprocess::default()
            },
            "norm",
        ),
        (
            Postprocess {
                clip: vec![(1.0, 1.0)],
                ..Postprocess::default()
            },
            "clip",
        ),
        (
            Postprocess {
                clip: vec![(0.0, 1.0); 3],
                ..Postprocess::default()
            },
            "clip",
        ),
    ] {
        assert_eq!(postprocess.validate(Some(2)).unwrap_err().field, field);
    }
}

#[test]
fn neurons_that_hardly_respond_are_clipped_and_named() {
    let responses = array![[1.0, 5.0, 0.0], [1.0, 9.0, 0.02]];
    let normalization = Normalization::from_responses(responses.view()).unwrap();
    assert_eq!(normalization.clipped(), [0, 2]);
    assert!(Normalization::from_responses(responses.slice(ndarray::s![..1, ..])).is_err());
    assert!(Normalization::from_responses(array![[1.0], [f64::NAN]].view()).is_err());
}

#[test]
fn a_network_learns_to_predict_and_the_same_on_any_number_of_threads() {
    use crate::stimuli::Training;
    use chiasm_data::generate::CellTypes;
    let planted = CellTypes {
        side: 8,
        per_type: (3, 3),
        ..CellTypes::default()
    };
    let (_, model, _) = super::planted(&planted, 7);
    let mut rng = Streams::new(7).stream("images");
    let images = crate::stimuli::baseline::random(1500, 64, 8.0, &mut rng);
    let responses = model.scores(images.view());
    let training = Training {
        features: 16,
        epochs: 100,
        ..Training::default()
    };
    let fit = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            training
                .fit(
                    model.shape(),
                    images.view(),
                    responses.view(),
                    &Streams::new(7),
                    &chiasm_core::Quiet,
                )
                .unwrap()
        })
    };
    let ((one, correlation), (three, _)) = (fit(1), fit(3));
    assert!(correlation > 0.9, "{correlation}");
    assert_eq!(one.scores(images.view()), three.scores(images.view()));
    let short = training.fit(
        model.shape(),
        images.view(),
        responses.slice(ndarray::s![..9, ..]),
        &Streams::new(7),
        &chiasm_core::Quiet,
    );
    assert!(short.is_err());
    let none = Training {
        rate: 0.0,
        ..Training::default()
    };
    assert_eq!(none.validate().unwrap_err().field, "rate");
}
