//! Each layer against central differences, and against itself where two of its forms say the same.

use ndarray::array;
use proptest::prelude::*;

use super::super::backward::add_sums;
use super::super::forward::add_row;
use super::super::{
    Layer, Loss, Network, Nonlinearity, Pooling, QuadraticStart, Targets, Terms, Trace, Window,
};
use super::{drawn, network};

const ALL: [Nonlinearity; 11] = [
    Nonlinearity::Linear,
    Nonlinearity::Relu,
    Nonlinearity::Capped { at: 0.4 },
    Nonlinearity::Leaky { slope: 0.1 },
    Nonlinearity::Tanh,
    Nonlinearity::Clipped {
        low: -0.3,
        high: 0.5,
    },
    Nonlinearity::Sigmoid,
    Nonlinearity::Softplus,
    Nonlinearity::Gelu,
    Nonlinearity::Square,
    Nonlinearity::GeluTanh,
];

fn quadratic(terms: Terms) -> Layer {
    Layer::Quadratic {
        outputs: 4,
        terms,
        start: QuadraticStart::Random,
    }
}

fn stacks() -> Vec<Vec<Layer>> {
    let mut stacks: Vec<Vec<Layer>> = ALL
        .iter()
        .map(|n| vec![Layer::dense(4), Layer::Each(*n), Layer::dense(3)])
        .collect();
    for terms in [Terms::Full, Terms::Product, Terms::Squares] {
        stacks.push(vec![
            quadratic(terms),
            Layer::Each(Nonlinearity::Tanh),
            Layer::dense(3),
        ]);
    }
    let branch = || {
        vec![
            Layer::Norm,
            Layer::dense(6),
            Layer::Each(Nonlinearity::Gelu),
            Layer::dense(4),
        ]
    };
    stacks.push(vec![
        Layer::dense(4),
        Layer::Residual(branch()),
        Layer::dense(3),
    ]);
    stacks.push(vec![
        Layer::dense(4),
        Layer::Residual(vec![Layer::ReZero(branch()), Layer::Norm]),
        Layer::Dense {
            outputs: 3,
            bias: false,
        },
    ]);
    // Images of one row of five pixels; then of three channels.
    let window = Window::square;
    for pooling in [Pooling::Mean, Pooling::Max] {
        stacks.push(vec![
            Layer::convolution(window([1, 1, 5], 3, 1, 1), 3),
            Layer::Each(Nonlinearity::Tanh),
            Layer::Convolution {
                window: window([3, 1, 5], 3, 2, 2),
                channels: 2,
                bias: false,
            },
            Layer::Pool {
                window: window([2, 2, 4], 2, 1, 1),
                pooling,
            },
            Layer::dense(3),
        ]);
    }
    // A signal, then its channels as the rows of an image.
    stacks.push(vec![
        Layer::convolution(Window::along([1, 5], 4, 1, 2), 3),
        Layer::Each(Nonlinearity::Tanh),
        Layer::convolution(
            Window {
                image: [1, 3, 6],
                size: [2, 3],
                stride: [1, 2],
                padding: [1, 0],
            },
            2,
        ),
        Layer::Pool {
            window: Window::along([8, 2], 2, 1, 1),
            pooling: Pooling::Max,
        },
        Layer::dense(3),
    ]);
    for terms in [Terms::Full, Terms::Product, Terms::Squares] {
        let layer = |window, channels| Layer::QuadraticConvolution {
            window,
            channels,
            terms,
            start: QuadraticStart::Random,
        };
        stacks.push(vec![
            layer(Window::along([1, 5], 3, 1, 1), 4),
            Layer::BatchNorm { channels: 4 },
            Layer::Each(Nonlinearity::Tanh),
            layer(Window::square([4, 1, 5], 3, 2, 1), 2),
            Layer::dense(3),
        ]);
    }
    // A branch at the very start.
    stacks.push(vec![
        Layer::Residual(vec![Layer::dense(5)]),
        Layer::dense(3),
    ]);
    stacks
}

/// `sum_ij y_ij c_ij`, with weights that tell the outputs apart.
fn sum(network: &Network<f64>, x: &[f64], rows: usize) -> f64 {
    let mut trace = Trace::default();
    network.forward(x, rows, &mut trace);
    let weights = (0..).map(|i| 0.3 + 0.1 * f64::from(i));
    trace.output().iter().zip(weights).map(|(y, c)| y * c).sum()
}

#[test]
fn every_gradient_is_that_of_central_differences() {
    const H: f64 = 1e-6;
    for (s, layers) in stacks().iter().enumerate() {
        let mut net = network::<f64>(5, layers, 3);
        // ReZero's alpha begins at 0, where the branch would get no gradient.
        for array in &mut net.parameters_mut().arrays {
            if array.name.ends_with("alpha") {
                array.values[0] = 0.7;
            }
        }
        let rows = 3;
        let x = drawn::<f64>(rows, 5, 4).into_raw_vec_and_offset().0;
        let mut trace = Trace::default();
        net.forward(&x, rows, &mut trace);
        let weights = (0..rows * 3).map(|i| 0.3 + 0.1 * i as f64).collect();
        let mut gradients = net.no_gradients();
        let inputs = net.backward(&trace, weights, &mut gradients);
        let close = |what: &str, found: f64, expected: f64| {
            let error = (found - expected).abs();
            assert!(
                error < 1e-7 * (1.0 + expected.abs()),
                "stack {s}, {what}: {found} {expected}"
            );
        };
        for i in 0..x.len() {
            let moved = |by: f64| {
                let mut x = x.clone();
                x[i] += by;
                sum(&net, &x, rows)
            };
            close("inputs", inputs[i], (moved(H) - moved(-H)) / (2.0 * H));
        }
        for (a, gradient) in gradients.arrays().iter().enumerate() {
            let name = net.parameters().arrays[a].name.clone();
            for (i, found) in gradient.iter().enumerate() {
                let moved = |by: f64| {
                    let mut net = net.clone();
                    net.parameters_mut().arrays[a].values[i] += by;
                    sum(&net, &x, rows)
                };
                close(&name, *found, (moved(H) - moved(-H)) / (2.0 * H));
            }
        }
    }
}

#[test]
fn losses_and_their_gradients_agree() {
    const H: f64 = 1e-6;
    let y = drawn::<f64>(4, 3, 7);
    let values = drawn::<f64>(4, 3, 8).mapv(f64::abs);
    let labels = [2, 0, 1, 1];
    let which = [3, 1, 0, 2];
    let losses = [
        Loss::CrossEntropy { smoothing: 0.0 },
        Loss::CrossEntropy { smoothing: 0.3 },
        Loss::SquaredError,
        Loss::BinaryCrossEntropy,
    ];
    for loss in losses {
        for targets in [Targets::Classes(&labels), Targets::Values(values.view())] {
            let mean = |y: &[f64], g: &mut [f64]| loss.of(y, &targets, &which, g).loss / 4.0;
            let mut y = y.clone().into_raw_vec_and_offset().0;
            let mut gradient = vec![0.0; 12];
            mean(&y, &mut gradient);
            let mut scratch = vec![0.0; 12];
            for i in 0..12 {
                // A target of values need not sum to 1: softmax's gradient supposes that it does.
                if matches!(
                    (loss, &targets),
                    (Loss::CrossEntropy { .. }, Targets::Values(_))
                ) {
                    continue;
                }
                let kept = y[i];
                y[i] = kept + H;
                let up = mean(&y, &mut scratch);
                y[i] = kept - H;
                let down = mean(&y, &mut scratch);
                y[i] = kept;
                let expected = (up - down) / (2.0 * H);
                assert!((gradient[i] - expected).abs() < 1e-8, "{loss:?} {i}");
            }
        }
    }
}

#[test]
fn losses_are_those_by_hand() {
    let y = [1.0, 3.0];
    let mut g = [0.0; 2];
    let one = |loss: Loss, g: &mut [f64]| loss.of(&y, &Targets::Classes(&[0]), &[0], g).loss;
    let e = |x: f64| x.exp();
    let expected = (e(1.0) + e(3.0)).ln() - 1.0;
    assert!((one(Loss::CrossEntropy { smoothing: 0.0 }, &mut g) - expected).abs() < 1e-12);
    // .8 and .2 on the two classes: half of the smoothing goes to each.
    let smoothed = (e(1.0) + e(3.0)).ln() - (0.8 + 0.2 * 3.0);
    assert!((one(Loss::CrossEntropy { smoothing: 0.4 }, &mut g) - smoothed).abs() < 1e-12);
    assert!((one(Loss::SquaredError, &mut g) - 4.5).abs() < 1e-12);
    let binary = 0.5 * ((1.0 + e(-1.0)).ln() + (1.0 + e(3.0)).ln());
    assert!((one(Loss::BinaryCrossEntropy, &mut g) - binary).abs() < 1e-12);
}

#[test]
fn a_quadratic_layer_that_begins_as_an_ordinary_one_gives_the_same_bits() {
    let between = Layer::Each(Nonlinearity::Relu);
    let square = network::<f32>(
        6,
        &[Layer::quadratic(9), between.clone(), Layer::quadratic(2)],
        5,
    );
    let mut plain = network::<f32>(6, &[Layer::dense(9), between, Layer::dense(2)], 6);
    for array in &mut plain.parameters_mut().arrays {
        let name = array
            .name
            .replace(".weight", ".r.weight")
            .replace(".bias", ".r.bias");
        let same = square.parameters().arrays.iter().find(|a| a.name == name);
        array.values = same.expect("the same part").values.clone();
    }
    let x = drawn::<f32>(40, 6, 7);
    assert_eq!(
        square.outputs(x.view()).expect("fits"),
        plain.outputs(x.view()).expect("fits")
    );
}

#[test]
fn quadratic_neurons_compute_xor_and_a_parabola_exactly() {
    // Card 34, works when 1: (-2 x1)(x2) + x1^2 + x2^2 = (x1 - x2)^2.
    let mut net = network::<f64>(2, &[Layer::quadratic(1)], 1);
    let parts = [
        ("0.r.weight", vec![-2.0, 0.0]),
        ("0.r.bias", vec![0.0]),
        ("0.g.weight", vec![0.0, 1.0]),
        ("0.g.bias", vec![0.0]),
        ("0.b.weight", vec![1.0, 1.0]),
    ];
    for (name, values) in parts {
        let mut arrays = net.parameters_mut().arrays.iter_mut();
        arrays.find(|a| a.name == name).expect("a part").values = values;
    }
    let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.25, -3.0]];
    let y = net.outputs(x.view()).expect("fits");
    let expected: Vec<f64> = x
        .rows()
        .into_iter()
        .map(|r| (r[0] - r[1]).powi(2))
        .collect();
    assert_eq!(y.column(0).to_vec(), expected);
}

#[test]
fn the_tangent_kernel_of_a_linear_network_is_the_closed_form() {
    // Card 17, works when 3: f = W1 w2, K = x (W1 W1' + |w2|^2) x'.
    let unbiased = |outputs| Layer::Dense {
        outputs,
        bias: false,
    };
    let net = network::<f64>(4, &[unbiased(6), unbiased(1)], 2);
    let x = drawn::<f64>(5, 4, 3);
    let kernel = net.tangent_kernel(x.view()).expect("fits");
    let arrays = &net.parameters().arrays;
    let w1 = ndarray::ArrayView2::from_shape((4, 6), &arrays[0].values).expect("a matrix");
    let w2: f64 = arrays[1].values.iter().map(|v| v * v).sum();
    // dy/dW1 = x w2', dy/dw2 = x W1.
    let expected = x.dot(&w1).dot(&w1.t()).dot(&x.t()) + x.dot(&x.t()) * w2;
    for (a, b) in kernel.iter().zip(&expected) {
        assert!((a - b).abs() < 1e-12);
    }
}

proptest! {
    #[test]
    fn rows_do_not_see_each_other(seed in 0u64..1000, n in 1usize..9) {
        let layers = vec![
            Layer::dense(7),
            Layer::Residual(vec![Layer::Norm, quadratic_of(7)]),
            Layer::Each(Nonlinearity::Gelu),
            Layer::dense(2),
        ];
        let net = network::<f64>(3, &layers, seed);
        let x = drawn::<f64>(n, 3, seed + 1);
        let all = net.outputs(x.view()).expect("fits");
        for i in 0..n {
            let one = net.outputs(x.slice(ndarray::s![i..=i, ..])).expect("fits");
            for (a, b) in one.iter().zip(all.row(i)) {
                prop_assert!((a - b).abs() < 1e-12);
            }
        }
    }
}

fn quadratic_of(outputs: usize) -> Layer {
    Layer::Quadratic {
        outputs,
        terms: Terms::Full,
        start: QuadraticStart::Random,
    }
}

#[test]
fn a_row_is_added_to_many_and_many_are_added_up_in_parts() {
    let (n, m) = (40, 700);
    let x: Vec<f64> = (0..n * m).map(|i| (i * 7 % 23) as f64).collect();
    let row: Vec<f64> = (0..m).map(|i| i as f64).collect();
    let mut sums = row.clone();
    add_sums(&x, &mut sums);
    for (column, sum) in sums.iter().enumerate() {
        let all: f64 = x.iter().skip(column).step_by(m).sum();
        assert_eq!(*sum, row[column] + all, "column {column}");
    }
    let mut out = x.clone();
    add_row(&mut out, &row);
    for (i, v) in out.iter().enumerate() {
        assert_eq!(*v, x[i] + row[i % m], "place {i}");
    }
}
