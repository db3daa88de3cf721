use chiasm_core::{Diagnose, Group, Quiet, Streams};
use ndarray::{Array1, Array2, s};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::network::cross_entropy;
use super::*;
use crate::continual::real::product;
use crate::continual::{Accuracies, ContinualError, Part, Real, Task, permutation};

fn normal<T: Real>(rows: usize, columns: usize, streams: &Streams, name: &str) -> Array2<T> {
    let mut rng = streams.stream(name);
    Array2::from_shape_simple_fn((rows, columns), || {
        let draw: f64 = StandardNormal.sample(&mut rng);
        T::of(draw)
    })
}

fn frobenius<T: Real>(x: &Array2<T>) -> f64 {
    x.iter().map(|v| v.wide().powi(2)).sum::<f64>().sqrt()
}

#[test]
fn one_hebbian_change_by_hand() {
    let mut lateral = Subspace::<f64>::new(2);
    lateral
        .add_block(1, Birth::Anywhere, &mut Streams::new(1).stream("rows"))
        .unwrap();
    let h = lateral.block().row(0).to_owned();
    assert!((h.dot(&h) - 1.0).abs() < 1e-12);
    let x = Array2::from_shape_vec((2, 2), vec![1.0, 2.0, -1.0, 0.5]).unwrap();
    let hebb = Hebb {
        iterations: 1,
        ..Hebb::default()
    };
    lateral.learn(x.view(), &hebb).unwrap();
    let mut change = Array1::<f64>::zeros(2);
    for row in x.rows() {
        let y = row.dot(&h);
        change.scaled_add(0.5 * y, &(&row - &(&h * y)));
    }
    // M = .1 change, H += .01 M.
    for j in 0..2 {
        assert!((lateral.block()[[0, j]] - h[j] - 0.001 * change[j]).abs() < 1e-15);
    }
}

#[test]
fn finished_rows_stay_and_take_part() {
    let streams = Streams::new(2);
    let x = normal::<f64>(64, 12, &streams, "x");
    let mut lateral = Subspace::new(12);
    lateral
        .add_block(3, Birth::Orthogonal, &mut streams.stream("a"))
        .unwrap();
    lateral.learn(x.view(), &Hebb::default()).unwrap();
    lateral.finish_block();
    let before = lateral.finished().to_owned();
    lateral
        .add_block(4, Birth::Orthogonal, &mut streams.stream("b"))
        .unwrap();
    // Born orthogonal to what the finished rows span, orthonormal or not.
    assert!(frobenius(&product(lateral.block(), before.t())) < 1e-12);
    for _ in 0..50 {
        lateral.learn(x.view(), &Hebb::default()).unwrap();
    }
    assert_eq!(lateral.finished(), before);
    // What the finished rows explain is not learned again.
    assert!(frobenius(&product(lateral.block(), before.t())) < 0.1);
    let mut anywhere = Subspace::spanning(before.view()).unwrap();
    anywhere
        .add_block(4, Birth::Anywhere, &mut streams.stream("b"))
        .unwrap();
    assert!(frobenius(&product(anywhere.block(), before.t())) > 0.1);
}

/// The rule finds the principal subspace (Oja; card 19, works when 1), and not without its anti-Hebbian half.
#[test]
fn the_principal_subspace_is_found() {
    let streams = Streams::new(3);
    let basis = Subspace::spanning(normal::<f64>(10, 100, &streams, "basis").view()).unwrap();
    let mut rng = streams.stream("x");
    let mut batch = || {
        let strong = Array2::from_shape_fn((64, 10), |(_, j)| {
            let draw: f64 = StandardNormal.sample(&mut rng);
            (10.0 - j as f64).sqrt() * draw
        });
        let noise = Array2::from_shape_simple_fn((64, 100), || {
            let draw: f64 = StandardNormal.sample(&mut rng);
            0.1 * draw
        });
        product(strong.view(), basis.finished()) + noise
    };
    let mut lateral = Subspace::new(100);
    lateral
        .add_block(10, Birth::Orthogonal, &mut streams.stream("rows"))
        .unwrap();
    let mut alone = lateral.clone();
    for _ in 0..2000 {
        let x = batch();
        lateral.learn(x.view(), &Hebb::default()).unwrap();
        let hebb = Hebb {
            anti: false,
            ..Hebb::default()
        };
        alone.learn(x.view(), &hebb).unwrap();
    }
    let gram = |l: &Subspace<f64>| product(l.rows().t(), l.rows().view());
    let apart = frobenius(&(gram(&lateral) - gram(&basis))) / 10f64.sqrt();
    assert!(apart <= 0.1, "{apart}");
    assert!(lateral.from_orthonormal() <= 0.1);
    assert!(alone.from_orthonormal() > 100.0);
}

fn keeps<T: Real>(tolerance: f64) {
    let streams = Streams::new(4);
    let low = normal::<T>(30, 8, &streams, "low");
    let old = product(
        low.view(),
        normal::<T>(8, 40, &streams, "directions").view(),
    );
    let kept = Subspace::spanning(old.view()).unwrap();
    assert_eq!(kept.finished().nrows(), 8);
    let start = normal::<T>(5, 40, &streams, "weights");
    let mut weights = start.clone();
    let aims = normal::<T>(64, 5, &streams, "aims");
    for step in 0..500 {
        let new = normal::<T>(64, 40, &streams.child("new"), &step.to_string());
        let delta = product(new.view(), weights.t()) - &aims;
        let gradient = product(delta.t(), kept.project(new.view()).unwrap().view());
        weights.scaled_add(T::of(-0.1 / 64.0), &gradient);
    }
    let outputs = |w: &Array2<T>| product(w.view(), old.t());
    let apart = frobenius(&(outputs(&weights) - outputs(&start))) / frobenius(&outputs(&start));
    assert!(apart <= tolerance, "{apart}");
    assert!(frobenius(&(&weights - &start)) > 0.1);
}

#[test]
fn what_is_spanned_is_protected_exactly() {
    keeps::<f64>(1e-12);
    keeps::<f32>(1e-5);
}

#[test]
fn spiking_lateral_neurons_round_to_their_rates() {
    let kept = Subspace::spanning(Array2::<f64>::eye(3).slice(s![..1, ..])).unwrap();
    let x = ndarray::array![[3.3, 1.0, 0.0], [-70.0, 0.0, 2.0]];
    let code = Code::Spiking {
        scale: 20.0,
        steps: 40,
    };
    let rest = kept.project_coded(x.view(), code).unwrap();
    // Steps of .5: 3.3 is sent as 3.5, -70 as -20.
    assert!((rest[[0, 0]] + 0.2).abs() < 1e-12 && (rest[[1, 0]] + 50.0).abs() < 1e-12);
    assert_eq!((rest[[0, 1]], rest[[1, 2]]), (1.0, 2.0));
}

fn layers(rule: Rule) -> Layers {
    Layers {
        hidden: vec![9, 7],
        rule,
        ..Layers::default()
    }
}

/// The weighted rate of a neuron's output is the clamp of its input's, up to what is left on the neuron.
#[test]
fn rates_are_clamped() {
    let layers = Layers {
        hidden: vec![1],
        steps: Some(200),
        ..Layers::default()
    };
    let mut network = Network::<f64>::new(&layers, 1, 2, &Streams::new(1)).unwrap();
    network.weights[0].fill(1.0);
    for (input, expected) in [(-2.0, 0.0), (0.0, 0.0), (1.7, 1.7), (4.4, 4.4), (9.0, 6.0)] {
        let x = Array2::from_elem((1, 1), input);
        let pass = network.pass(x.view(), &[0]).unwrap();
        // One spike left out or in too many weighs V_th over the sum of weights.
        assert!(
            (pass.layers[1].pre[[0, 0]] - expected).abs() < 0.35,
            "{input}"
        );
    }
}

/// All there is in the network at `dsr` but the spikes: rates that are clamped.
fn clamped(network: &Network<f64>, x: &Array2<f64>, labels: &[usize]) -> f64 {
    let mut rate = x.clone();
    let top = network.weights.len() - 1;
    for (layer, weights) in network.weights.iter().enumerate() {
        rate = product(rate.view(), weights.t());
        if layer < top {
            let most = network.thresholds[layer] / network.layers.step;
            rate.mapv_inplace(|v| v.clamp(0.0, most));
        }
    }
    cross_entropy(&rate, labels).0
}

/// With many fine steps spikes are the rates, and the gradients those of clamped rates by finite differences.
#[test]
fn dsr_descends_along_the_clamped_rates() {
    let streams = Streams::new(5);
    let layers = Layers {
        steps: Some(1000),
        step: 0.02,
        threshold: 0.002,
        spike_at: 0.5,
        ..layers(Rule::Dsr)
    };
    let mut network = Network::<f64>::new(&layers, 6, 3, &streams).unwrap();
    // Thresholds at which some neurons saturate: rates of at most .1.
    network.weights.iter_mut().for_each(|w| *w *= 1.5);
    let x = normal::<f64>(5, 6, &streams, "x") * 0.1;
    let labels = [0, 1, 2, 1, 0];
    let pass = network.pass(x.view(), &labels).unwrap();
    assert!((pass.loss - clamped(&network, &x, &labels)).abs() < 1e-3);
    let h = 1e-6;
    for layer in 0..3 {
        let local = &pass.layers[layer];
        let gradient = product(local.delta.t(), local.pre.view());
        let (mut wrong, mut all) = (0.0, 0.0);
        for i in 0..gradient.nrows() {
            for j in 0..gradient.ncols() {
                let mut moved = network.clone();
                let mut at = |by: f64| {
                    moved.weights[layer][[i, j]] = network.weights[layer][[i, j]] + by;
                    clamped(&moved, &x, &labels)
                };
                let slope = (at(h) - at(-h)) / (2.0 * h);
                wrong += (slope - gradient[[i, j]]).powi(2);
                all += slope * slope;
            }
        }
        assert!(
            all > 0.0 && (wrong / all).sqrt() < 0.05,
            "layer {layer}: {}",
            (wrong / all).sqrt()
        );
    }
    let mut moved = network.clone();
    moved.thresholds[0] += 1e-7;
    let slope = (clamped(&moved, &x, &labels) - clamped(&network, &x, &labels)) / 1e-7;
    // The code's step where the derivative has one over it.
    let expected = slope * layers.step * layers.step;
    assert!(expected.abs() > 0.0 && (pass.thresholds[0] - expected).abs() < 0.02 * expected.abs());
}

/// One neuron for two steps, back by hand.
#[test]
fn through_time_by_hand() {
    let layers = Layers {
        hidden: vec![1],
        rule: Rule::Bptt,
        steps: Some(2),
        ..Layers::default()
    };
    let mut network = Network::<f64>::new(&layers, 1, 2, &Streams::new(1)).unwrap();
    network.weights[0].fill(1.0);
    network.weights[1] = ndarray::array![[2.0], [-1.0]];
    let x = ndarray::array![[1.5]];
    // v = .75, no spike; v = .75 + (1.5 - .75) / 2 = 1.125, a spike.
    let pass = network.pass(x.view(), &[0]).unwrap();
    assert_eq!(pass.layers[1].pre.column(0).to_vec(), [0.0, 1.0]);
    // Scores 1 and -.5: the gradient of the first is p - 1.
    let p = 1.0 / (1.0 + (-1.5f64).exp());
    assert!((pass.loss + p.ln()).abs() < 1e-12);
    let at_spike = ((p - 1.0) * 2.0 + (1.0 - p) * -1.0) / 2.0;
    let slope = |above: f64| {
        let s = 1.0 / (1.0 + (-4.0 * above).exp());
        4.0 * s * (1.0 - s)
    };
    let second = at_spike * slope(0.125);
    let first = at_spike * slope(-0.25) + 0.5 * second;
    assert!((pass.layers[0].delta[[0, 0]] - 0.5 * (first + second)).abs() < 1e-12);
}

/// The gradient that forward-in-time learning leaves, from its definition.
#[test]
fn forward_in_time_by_hand() {
    let layers = Layers {
        hidden: vec![1],
        rule: Rule::Ottt,
        steps: Some(2),
        ..Layers::default()
    };
    let mut network = Network::<f64>::new(&layers, 1, 2, &Streams::new(1)).unwrap();
    network.weights[0].fill(1.0);
    network.weights[1] = ndarray::array![[2.0], [-1.0]];
    let x = ndarray::array![[1.5]];
    let pass = network.pass(x.view(), &[0]).unwrap();
    // Scores 0 and 0 without the spike, 2 and -1 with it; half the loss at each step.
    let p = [0.5, 1.0 / (1.0 + (-3.0f64).exp())];
    assert!((pass.loss + 0.5 * (p[0].ln() + p[1].ln())).abs() < 1e-12);
    let slope = |above: f64| {
        let s = 1.0 / (1.0 + (-4.0 * above).exp());
        4.0 * s * (1.0 - s)
    };
    let error = |p: f64, above: f64| 0.5 * (3.0 * (p - 1.0)) * slope(above) / 2.0;
    // Traces of the input are 1 and 1.5 times itself.
    let expected = error(p[0], -0.25) + 1.5 * error(p[1], 0.125);
    assert!((pass.layers[0].delta[[0, 0]] - expected).abs() < 1e-12);
}

#[test]
fn feedback_replaces_the_weights_on_the_way_back_alone() {
    let streams = Streams::new(6);
    let x = normal::<f64>(4, 6, &streams, "x");
    let pass = |feedback| {
        let layers = Layers {
            feedback,
            ..layers(Rule::Dsr)
        };
        let network = Network::<f64>::new(&layers, 6, 3, &streams).unwrap();
        (network.pass(x.view(), &[0, 1, 2, 0]).unwrap(), network)
    };
    let (own, network) = pass(Feedback::Symmetric);
    for feedback in [Feedback::Random, Feedback::Sign] {
        let (other, _) = pass(feedback);
        assert_eq!(
            (own.loss, &own.layers[2].delta),
            (other.loss, &other.layers[2].delta)
        );
        assert_ne!(own.layers[1].delta, other.layers[1].delta);
    }
    let signs = network.weights[2].mapv(|w| w.signum() / 7f64.sqrt());
    let (other, _) = pass(Feedback::Sign);
    let back = product(other.layers[2].delta.view(), signs.view());
    for (g, b) in other.layers[1].delta.iter().zip(&back) {
        assert!(*g == 0.0 || (g - b).abs() < 1e-12);
    }
}

/// Four clouds in 24 dimensions, told apart by small networks.
struct Clouds {
    train: (Array2<f32>, Vec<usize>),
    test: (Array2<f32>, Vec<usize>),
}

impl Clouds {
    fn new() -> Self {
        let streams = Streams::new(7);
        let centers = normal::<f32>(4, 24, &streams, "centers");
        let part = |n: usize, name: &str| {
            let noise = normal::<f32>(n, 24, &streams, name) * 0.7;
            let labels: Vec<usize> = (0..n).map(|i| i % 4).collect();
            let x = Array2::from_shape_fn((n, 24), |(i, j)| centers[[i % 4, j]] + noise[[i, j]]);
            (x, labels)
        };
        Self {
            train: part(800, "train"),
            test: part(200, "test"),
        }
    }

    fn tasks(&self, n: usize) -> Vec<Task<'_, f32>> {
        let part = |of: &'_ (Array2<f32>, Vec<usize>)| -> (usize, usize) { of.0.dim() };
        assert_eq!(part(&self.train).1, part(&self.test).1);
        let each = (0..n).map(|k| Task {
            name: format!("order {k}"),
            train: Part {
                inputs: self.train.0.view(),
                labels: &self.train.1,
            },
            test: Part {
                inputs: self.test.0.view(),
                labels: &self.test.1,
            },
            columns: Some(permutation(24, &mut Streams::new(8).indexed("columns", k))),
        });
        each.collect()
    }
}

fn small() -> (Layers, Train) {
    let layers = Layers {
        hidden: vec![32],
        ..Layers::default()
    };
    let train = Train {
        batch: 16,
        epochs: 2,
        ..Train::default()
    };
    (layers, train)
}

fn protect(first: [usize; 2], later: [usize; 2]) -> Protect {
    Protect {
        rows: Rows {
            first: first.to_vec(),
            later: later.to_vec(),
            fewer: 0,
        },
        input_rate: 0.01,
        ..Protect::default()
    }
}

fn learner(protect: Option<&Protect>, replay: Option<&Replay>, classes: usize) -> Learner<f32> {
    let (layers, train) = small();
    Learner::new(
        (&layers, &train),
        protect,
        replay,
        (24, classes),
        &Streams::new(9),
    )
    .unwrap()
}

fn run(mut learner: Learner<f32>, tasks: &[Task<'_, f32>]) -> Accuracies {
    let mut found = Accuracies::new();
    for k in 0..tasks.len() {
        learner.learn(tasks, k, &Streams::new(9), &Quiet).unwrap();
        let row = tasks[..=k]
            .iter()
            .map(|t| learner.accuracy(t, &Quiet).unwrap());
        found.push(row.collect());
    }
    found
}

#[test]
fn protection_and_replay_keep_what_sequential_training_forgets() {
    let clouds = Clouds::new();
    let tasks = clouds.tasks(3);
    let sequential = run(learner(None, None, 4), &tasks);
    let kept = run(learner(Some(&protect([6, 10], [6, 8])), None, 4), &tasks);
    let replay = Replay {
        per_class: 20,
        epochs: 10,
        rate: 0.1,
    };
    let replayed = run(learner(None, Some(&replay), 4), &tasks);
    assert!(sequential.learned() > 0.9, "{sequential:?}");
    assert!(sequential.backward_transfer() < -0.05, "{sequential:?}");
    for other in [&kept, &replayed] {
        assert!(
            other.backward_transfer() > 0.5 * sequential.backward_transfer(),
            "{other:?}"
        );
    }
    // The first task is learned without projection: by the same bits.
    assert_eq!(sequential.get(0, 0), kept.get(0, 0));
}

#[test]
fn rows_for_every_direction_leave_nothing_to_learn_with() {
    let clouds = Clouds::new();
    let tasks = clouds.tasks(2);
    let mut learner = learner(Some(&protect([24, 32], [0, 0])), None, 4);
    let streams = Streams::new(9);
    learner.learn(&tasks, 0, &streams, &Quiet).unwrap();
    let before = learner.network().weights().to_vec();
    learner.learn(&tasks, 1, &streams, &Quiet).unwrap();
    for (a, b) in before.iter().zip(learner.network().weights()) {
        assert!(frobenius(&(a - b)) < 1e-3 * frobenius(a));
    }
}

#[test]
fn a_learner_that_was_kept_goes_on_to_the_same_bits_on_any_number_of_threads() {
    let clouds = Clouds::new();
    let tasks = clouds.tasks(2);
    let streams = Streams::new(9);
    let replay = Replay::default();
    let settings = protect([6, 10], [6, 8]);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut whole = learner(Some(&settings), Some(&replay), 4);
            whole.learn(&tasks, 0, &streams, &Quiet).unwrap();
            whole
        })
    };
    let mut whole = on(1);
    assert_eq!(whole, on(3));
    let text = serde_json::to_string(&whole).unwrap();
    let mut again: Learner<f32> = serde_json::from_str(&text).unwrap();
    whole.learn(&tasks, 1, &streams, &Quiet).unwrap();
    again.learn(&tasks, 1, &streams, &Quiet).unwrap();
    assert_eq!(whole, again);
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let streams = Streams::new(10);
    let mut rng = streams.stream("rows");
    let mut lateral = Subspace::<f64>::new(4);
    let x = normal::<f64>(3, 4, &streams, "x");
    assert_eq!(
        lateral.project(x.view()).unwrap_err(),
        ContinualError::NothingKept
    );
    assert_eq!(
        lateral.learn(x.view(), &Hebb::default()).unwrap_err(),
        ContinualError::NoBlock
    );
    lateral.add_block(3, Birth::Orthogonal, &mut rng).unwrap();
    let full = lateral
        .add_block(2, Birth::Orthogonal, &mut rng)
        .unwrap_err();
    assert!(full.to_string().contains("no room for 2 rows beside 3") && full.help().is_some());
    let mut bad = x.clone();
    bad[[2, 1]] = f64::NAN;
    let refused = lateral.learn(bad.view(), &Hebb::default()).unwrap_err();
    assert!(refused.to_string().contains("sample 2, column 1"));
    let wide = normal::<f64>(3, 5, &streams, "x");
    assert!(
        lateral
            .learn(wide.view(), &Hebb::default())
            .unwrap_err()
            .to_string()
            .contains("columns: expected 4, found 5")
    );
    let still = Hebb {
        rate: f64::NAN,
        ..Hebb::default()
    };
    assert!(lateral.learn(x.view(), &still).is_err());

    let clouds = Clouds::new();
    let tasks = clouds.tasks(2);
    let learn = |mut learner: Learner<f32>, tasks: &[Task<'_, f32>], task| {
        learner.learn(tasks, task, &streams, &Quiet).unwrap_err()
    };
    assert!(
        learn(learner(None, None, 4), &tasks, 1)
            .to_string()
            .contains("expected task 0")
    );
    assert!(
        learn(learner(None, None, 3), &tasks, 0)
            .to_string()
            .contains("class below 3, found 3")
    );
    let many = protect([25, 10], [6, 8]);
    assert!(
        learn(learner(Some(&many), None, 4), &tasks, 0)
            .to_string()
            .contains("no room")
    );
    let (layers, train) = small();
    let new = |layers: &Layers, train: &Train, protect: Option<&Protect>| {
        Learner::<f32>::new((layers, train), protect, None, (24, 4), &streams)
            .unwrap_err()
            .to_string()
    };
    let uneven = Protect::default();
    assert!(new(&layers, &train, Some(&uneven)).contains("first"));
    let none = Layers {
        hidden: vec![],
        ..layers.clone()
    };
    assert!(new(&none, &train, None).contains("hidden"));
    let fast = Train {
        rate: 1e39,
        ..train
    };
    let wild = Learner::<f32>::new((&layers, &fast), None, None, (24, 4), &streams).unwrap();
    assert_eq!(learn(wild, &tasks, 0).group(), Group::Numerical);
    let mut narrow = clouds.tasks(2);
    narrow[1].columns = Some((0..23).collect());
    let mut first = learner(None, None, 4);
    first.learn(&narrow, 0, &streams, &Quiet).unwrap();
    assert!(
        first
            .learn(&narrow, 1, &streams, &Quiet)
            .unwrap_err()
            .to_string()
            .contains("columns: expected 24, found 23")
    );
}

#[test]
fn rows_grow_fewer_with_every_third_task() {
    let rows = Rows::default();
    let of: Vec<usize> = (0..10).map(|t| rows.of(t, 0)).collect();
    assert_eq!(of, [80, 70, 70, 50, 50, 50, 30, 30, 30, 10]);
    assert!(rows.validate(&[784, 800, 800], 10).is_ok());
    assert_eq!(
        rows.validate(&[784, 800, 400], 10).unwrap_err().field,
        "later"
    );
}
