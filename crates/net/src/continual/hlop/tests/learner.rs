//! Small networks that learn task after task.

use chiasm_core::{Diagnose, Group, Quiet, Streams};
use ndarray::Array2;

use super::super::{Layers, Learner, Protect, Replay, Rows, Train};
use super::{frobenius, normal};
use crate::continual::{Accuracies, Part, Task, permutation};

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

#[test]
fn what_a_learner_cannot_do_is_refused_by_name() {
    let streams = Streams::new(10);
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
