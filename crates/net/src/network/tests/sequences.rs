//! Embeddings, attention and the transformer: against a plain version, central differences and closed forms.

use chiasm_core::{Quiet, Streams};
use ndarray::{Array2, array, s};
use rand::RngExt;

use super::super::{
    Attention, Layer, Network, NetworkError, Nonlinearity, Reach, Start, Targets, Trace,
    TrainingConfig, Transformer,
};
use super::drawn;
use crate::Real;
use crate::train::Rule;

fn begun<T: Real>(layers: &[Layer], start: Start, seed: u64) -> Network<T> {
    let mut rng = Streams::new(seed).stream("start");
    Network::begun(1, layers, start, &mut rng).expect("layers that fit")
}

fn tokens<T: Real>(rows: usize, vocabulary: usize, seed: u64) -> Array2<T> {
    let mut rng = Streams::new(seed).stream("tokens");
    Array2::from_shape_fn((rows, 1), |_| T::of(rng.random_range(0..vocabulary) as f64))
}

fn attention(heads: usize, span: usize, reach: Reach, scaled: bool) -> Layer {
    Layer::Attention(Attention {
        heads,
        span,
        reach,
        scaled,
    })
}

const SMALL: Transformer = Transformer {
    vocabulary: 7,
    width: 6,
    blocks: 2,
    heads: 2,
    span: 5,
    window: Some(2),
    scaled: false,
};

/// Every sum as it is written.
fn plain(x: &Array2<f64>, w: &Array2<f64>, how: &Attention) -> Array2<f64> {
    let (rows, width) = x.dim();
    let all = x.dot(w);
    let size = width / how.heads;
    let mut out = Array2::zeros((rows, width));
    for t in 0..rows {
        let (first, at) = (t / how.span * how.span, t % how.span);
        let seen: Vec<usize> = (0..how.span)
            .filter(|&j| match how.reach {
                Reach::All => true,
                Reach::Causal => j <= at,
                Reach::Local { window } => j <= at && at - j < window,
            })
            .collect();
        for head in 0..how.heads {
            let part = |row: usize, what: usize| {
                let from = what * width + head * size;
                all.slice(s![row, from..from + size]).to_owned()
            };
            let scale = if how.scaled {
                1.0 / (size as f64).sqrt()
            } else {
                1.0
            };
            let scores: Vec<f64> = seen
                .iter()
                .map(|j| (scale * part(t, 0).dot(&part(first + j, 1))).exp())
                .collect();
            let sum: f64 = scores.iter().sum();
            for (j, score) in seen.iter().zip(&scores) {
                let mut to = out.slice_mut(s![t, head * size..(head + 1) * size]);
                to += &(&part(first + j, 2) * (score / sum));
            }
        }
    }
    out
}

#[test]
fn attention_is_the_plain_one() {
    let cases = [
        (6, 2, 5, Reach::All, true),
        (6, 3, 5, Reach::Causal, false),
        (4, 1, 70, Reach::Causal, true),
        (4, 2, 70, Reach::Local { window: 9 }, true),
        (4, 4, 33, Reach::Local { window: 1 }, false),
        (4, 2, 40, Reach::All, false),
        (3, 1, 1, Reach::Causal, true),
    ];
    for (width, heads, span, reach, scaled) in cases {
        let layer = attention(heads, span, reach, scaled);
        let mut rng = Streams::new(2).stream("start");
        let net = Network::<f64>::new(width, std::slice::from_ref(&layer), &mut rng).expect("fits");
        let x = drawn::<f64>(3 * span, width, 5);
        let w = &net.parameters().arrays[0];
        let w = Array2::from_shape_vec((width, 3 * width), w.values.clone()).expect("a matrix");
        let Layer::Attention(how) = layer else {
            unreachable!()
        };
        let expected = plain(&x, &w, &how);
        let found = net.outputs(x.view()).expect("fits");
        for (a, b) in found.iter().zip(&expected) {
            assert!(
                (a - b).abs() < 1e-12,
                "{width} {heads} {span} {reach:?}: {a} {b}"
            );
        }
    }
}

fn weighed(network: &Network<f64>, x: &[f64], rows: usize) -> f64 {
    let mut trace = Trace::default();
    network.forward(x, rows, &mut trace);
    let weights = (0..).map(|i| (0.7 * f64::from(i)).sin());
    trace.output().iter().zip(weights).map(|(y, c)| y * c).sum()
}

#[test]
fn gradients_are_those_of_central_differences() {
    const H: f64 = 1e-5;
    let long = |reach| {
        vec![
            Layer::Embedding {
                vocabulary: 5,
                width: 4,
            },
            Layer::Positions { span: 37 },
            Layer::Residual(vec![attention(2, 37, reach, true), Layer::dense(4)]),
            Layer::Tied { vocabulary: 5 },
        ]
    };
    let stacks = [
        Layer::transformer(&SMALL),
        long(Reach::All),
        long(Reach::Causal),
        long(Reach::Local { window: 20 }),
    ];
    for (i, layers) in stacks.iter().enumerate() {
        let net = begun::<f64>(layers, Start::Uniform, 3);
        let span = net.span();
        let rows = 2 * span;
        let x = tokens::<f64>(rows, 5, 4).into_raw_vec_and_offset().0;
        let mut trace = Trace::default();
        net.forward(&x, rows, &mut trace);
        let n = trace.output().len();
        let mut gradients = net.no_gradients();
        let of_outputs = (0..n).map(|i| (0.7 * i as f64).sin()).collect();
        let of_inputs = net.backward(&trace, of_outputs, &mut gradients);
        assert_eq!(of_inputs, vec![0.0; rows]);
        for (a, gradient) in gradients.arrays().iter().enumerate() {
            let largest = gradient.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            for (j, found) in gradient.iter().enumerate() {
                let moved = |by: f64| {
                    let mut net = net.clone();
                    net.parameters_mut().arrays[a].values[j] += by;
                    weighed(&net, &x, rows)
                };
                let expected = (moved(H) - moved(-H)) / (2.0 * H);
                let name = &net.parameters().arrays[a].name;
                assert!(
                    (found - expected).abs() < 1e-7 * (1.0 + largest),
                    "stack {i}, {name} {j}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn outputs_do_not_depend_on_tokens_after_them_to_the_bit() {
    let model = Transformer {
        vocabulary: 20,
        width: 8,
        span: 70,
        window: Some(30),
        ..SMALL
    };
    let net = begun::<f32>(&Layer::transformer(&model), Start::Uniform, 1);
    let x = tokens::<f32>(140, 20, 2);
    let before = net.outputs(x.view()).expect("fits");
    for at in [0, 31, 32, 69] {
        let mut other = x.clone();
        for row in 70 + at..140 {
            other[[row, 0]] = (other[[row, 0]] + 7.0) % 20.0;
        }
        let after = net.outputs(other.view()).expect("fits");
        let same = s![..70 + at, ..];
        assert_eq!(before.slice(same), after.slice(same), "from {at} on");
        assert_ne!(before.row(70 + at), after.row(70 + at));
    }
}

#[test]
fn without_queries_a_token_takes_the_mean_of_those_that_it_sees() {
    let (width, span) = (4, 40);
    for reach in [Reach::All, Reach::Causal, Reach::Local { window: 3 }] {
        let layers = [attention(2, span, reach, true)];
        let mut rng = Streams::new(2).stream("start");
        let mut net = Network::<f64>::new(width, &layers, &mut rng).expect("fits");
        // Queries nothing, values what enters.
        for (i, w) in net.parameters_mut().arrays[0].values.iter_mut().enumerate() {
            let (row, column) = (i / 12, i % 12);
            match column / width {
                0 => *w = 0.0,
                2 => *w = f64::from(u8::from(column % width == row)),
                _ => {}
            }
        }
        let x = drawn::<f64>(span, width, 3);
        let found = net.outputs(x.view()).expect("fits");
        for t in 0..span {
            let seen = match reach {
                Reach::All => 0..span,
                Reach::Causal => 0..t + 1,
                Reach::Local { window } => (t + 1).saturating_sub(window)..t + 1,
            };
            let mean = x
                .slice(s![seen, ..])
                .mean_axis(ndarray::Axis(0))
                .expect("some");
            for (a, b) in found.row(t).iter().zip(&mean) {
                assert!((a - b).abs() < 1e-14);
            }
        }
    }
}

#[test]
fn without_positions_an_order_of_tokens_is_an_order_of_outputs() {
    let span = 9;
    let layers = [
        Layer::Embedding {
            vocabulary: 11,
            width: 6,
        },
        Layer::Residual(vec![
            Layer::Norm,
            attention(3, span, Reach::All, true),
            Layer::dense(6),
        ]),
        Layer::Tied { vocabulary: 11 },
    ];
    let net = begun::<f64>(&layers, Start::Uniform, 8);
    let x = tokens::<f64>(span, 11, 9);
    let order = [4, 0, 8, 2, 1, 7, 3, 6, 5];
    let moved = x.select(ndarray::Axis(0), &order);
    let (a, b) = (
        net.outputs(x.view()).expect("fits"),
        net.outputs(moved.view()).expect("fits"),
    );
    for (v, w) in a.select(ndarray::Axis(0), &order).iter().zip(&b) {
        assert!((v - w).abs() < 1e-12);
    }
}

/// Card 50, A.
#[test]
fn a_transformer_has_the_parameters_of_the_published_ones() {
    let of = |blocks, width| Transformer {
        vocabulary: 50_257,
        width,
        blocks,
        heads: 16,
        span: 2048,
        window: Some(256),
        scaled: false,
    };
    for (blocks, width, n) in [
        (1, 64, 3_397_440),
        (2, 768, 54_342_912),
        (12, 1024, 204_680_192),
    ] {
        assert_eq!(of(blocks, width).n_parameters(), n);
    }
    let net = begun::<f32>(&Layer::transformer(&SMALL), Start::Gpt, 1);
    assert_eq!(net.parameters().len(), SMALL.n_parameters());
    let net = begun::<f32>(&Layer::transformer(&of(1, 64)), Start::Gpt, 1);
    assert_eq!(net.parameters().len(), 3_397_440);
    let table = &net.parameters().arrays[0].values;
    let variance = table.iter().map(|v| f64::from(v * v)).sum::<f64>() / table.len() as f64;
    assert!((variance.sqrt() - 0.02).abs() < 1e-4);
    let biases = net
        .parameters()
        .arrays
        .iter()
        .filter(|a| a.name.ends_with("bias"));
    assert!(biases.flat_map(|a| &a.values).all(|v| *v == 0.0));
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let net = begun::<f32>(&Layer::transformer(&SMALL), Start::Gpt, 1);
    let refused = |x: Array2<f32>| net.outputs(x.view()).expect_err("refused");
    assert_eq!(
        refused(Array2::zeros((7, 1))),
        NetworkError::Span { span: 5, found: 7 }
    );
    for bad in [7.0, 1.5, -1.0] {
        let mut x = Array2::zeros((10, 1));
        x[[6, 0]] = bad;
        let expected = NetworkError::Token {
            row: 6,
            vocabulary: 7,
            found: f64::from(bad),
        };
        assert_eq!(refused(x.clone()), expected);
        let mut training = TrainingConfig::default()
            .start(net.clone())
            .expect("starts");
        let targets = Targets::Classes(&[0; 10]);
        let found = training.epoch(x.view(), targets, &Streams::new(1), &Quiet);
        assert_eq!(found.expect_err("refused"), expected);
    }
    let field = |inputs: usize, layers: &[Layer]| {
        let mut rng = Streams::new(1).stream("start");
        let found = Network::<f32>::new(inputs, layers, &mut rng);
        let NetworkError::Setting(e) = found.expect_err("refused") else {
            panic!("a setting")
        };
        e.field
    };
    let embedding = Layer::Embedding {
        vocabulary: 7,
        width: 6,
    };
    assert_eq!(field(2, std::slice::from_ref(&embedding)), "inputs");
    assert_eq!(field(1, &[Layer::dense(1), embedding.clone()]), "layers");
    assert_eq!(
        field(1, &[embedding.clone(), Layer::Tied { vocabulary: 6 }]),
        "layers"
    );
    assert_eq!(field(1, &[Layer::Tied { vocabulary: 6 }]), "layers");
    let spans = [
        embedding.clone(),
        Layer::Positions { span: 4 },
        attention(2, 5, Reach::Causal, true),
    ];
    assert_eq!(field(1, &spans), "span");
    let of = |heads, reach| field(6, &[attention(heads, 4, reach, true)]);
    assert_eq!(of(4, Reach::All), "heads");
    assert_eq!(of(0, Reach::All), "heads");
    assert_eq!(of(2, Reach::Local { window: 0 }), "window");
    assert_eq!(field(6, &[attention(2, 0, Reach::All, true)]), "span");
}

/// The token before the last one comes next.
fn echoes(n: usize, span: usize, vocabulary: usize) -> (Array2<f32>, Vec<usize>) {
    let mut rng = Streams::new(4).stream("echoes");
    let mut all = vec![];
    let mut next = vec![];
    for _ in 0..n {
        let pair = [
            rng.random_range(0..vocabulary),
            rng.random_range(0..vocabulary),
        ];
        all.extend((0..span).map(|t| pair[t % 2] as f32));
        next.extend((0..span).map(|t| pair[(t + 1) % 2]));
    }
    (
        Array2::from_shape_vec((n * span, 1), all).expect("a column"),
        next,
    )
}

#[test]
fn what_was_said_before_is_learned_on_any_number_of_threads() {
    let model = Transformer {
        vocabulary: 12,
        width: 16,
        span: 10,
        window: None,
        ..SMALL
    };
    let config = TrainingConfig {
        epochs: 30,
        batch: 16,
        optimizer: Rule::ADAMW,
        rate: 5e-3,
        ..TrainingConfig::default()
    };
    let (x, next) = echoes(200, 10, 12);
    let (targets, streams) = (Targets::Classes(&next), Streams::new(6));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool").install(|| {
            let net = begun::<f32>(&Layer::transformer(&model), Start::Gpt, 1);
            let mut training = config.start(net).expect("starts");
            let found = training.finish(x.view(), targets, &streams, &Quiet);
            (found.expect("trains"), training.into_network())
        })
    };
    let (epochs, net) = run(1);
    // The first token of a sequence says nothing of the second: 2.4 nats of one token in ten are left.
    let last = epochs.last().expect("epochs");
    assert!(last.loss < 0.45 && last.accuracy > 0.85, "{last:?}");
    assert_eq!((epochs, net), run(3));
}

#[test]
fn activity_is_that_of_the_taps_and_of_recordings() {
    let net = begun::<f32>(&Layer::transformer(&SMALL), Start::Uniform, 1);
    // More than are handled at once.
    let x = tokens::<f32>(600, 7, 3);
    let taps = net.taps(x.view()).expect("fits");
    for (layer, tap) in taps.iter().enumerate() {
        assert_eq!(
            net.activity(x.view(), layer).expect("fits"),
            *tap,
            "{layer}"
        );
    }
    assert_eq!(taps[taps.len() - 2].ncols(), 6);
    assert!(net.activity(x.view(), taps.len()).is_err());
    let names: Vec<String> = (0..600).map(|i| i.to_string()).collect();
    let layers = [0, 3, taps.len() - 2];
    let recording = net.record(x.view(), &names, &layers).expect("records");
    assert_eq!(recording.n_units(), 18);
}

#[test]
fn the_tangent_kernel_is_that_of_rows_within_their_sequences() {
    let layers = Layer::transformer(&SMALL);
    let net = begun::<f64>(&layers, Start::Uniform, 1);
    let x = tokens::<f64>(10, 7, 3);
    let jacobian = net.jacobian(x.view()).expect("fits");
    let mut trace = Trace::default();
    let values: Vec<f64> = x.iter().copied().collect();
    net.forward(&values, 10, &mut trace);
    // Output 3 of row 8.
    let mut one = vec![0.0; 70];
    one[8 * 7 + 3] = 1.0;
    let mut gradients = net.no_gradients();
    net.backward(&trace, one, &mut gradients);
    for (a, b) in jacobian
        .row(8 * 7 + 3)
        .iter()
        .zip(gradients.arrays().iter().flatten())
    {
        assert!((a - b).abs() < 1e-12);
    }
}

#[test]
fn gelu_in_its_tanh_form_is_that_by_hand() {
    for x in [-30.0f64, -2.0, -0.3, 0.0, 1e-3, 0.7, 5.0, 30.0] {
        let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
        let expected = 0.5 * x * (1.0 + u.tanh());
        assert!((Nonlinearity::GeluTanh.at(x) - expected).abs() < 1e-14 * (1.0 + x.abs()));
    }
    let x = array![[1.0f32]];
    let mut rng = Streams::new(1).stream("start");
    let net = Network::<f32>::new(1, &[Layer::Each(Nonlinearity::GeluTanh)], &mut rng);
    let y = net.expect("fits").outputs(x.view()).expect("fits");
    assert!((y[[0, 0]] - 0.841_192).abs() < 1e-6);
}
