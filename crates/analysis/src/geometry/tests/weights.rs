use ndarray::{Array1, array};

use super::*;

/// Mean cross-entropy of a network of one hidden layer of Tanh.
fn loss(
    inputs: &Array2<f64>,
    labels: &Dichotomy,
    w: &Array2<f64>,
    b: &Array1<f64>,
    j: &Array1<f64>,
) -> f64 {
    let mut sum = 0.0;
    for (c, x) in inputs.rows().into_iter().enumerate() {
        let output = (w.dot(&x) + b).mapv(f64::tanh).dot(j);
        // -ln sigmoid of the side the label is on.
        let side = if labels.is_positive(c) {
            output
        } else {
            -output
        };
        sum += (-side).exp().ln_1p();
    }
    sum / inputs.nrows() as f64
}

#[test]
fn the_field_is_minus_the_gradient_of_the_loss() {
    let (inputs, labels) = (normal((8, 5), 1), bit(3, 1));
    // Units in pairs that cancel: the output is exactly 1/2.
    let half = normal((4, 5), 2);
    let w = Array2::from_shape_fn((8, 5), |(i, d)| half[[i / 2, d]]);
    let b = Array1::from_shape_fn(8, |i| 0.1 * (i / 2) as f64);
    let j = Array1::from_shape_fn(8, |i| if i % 2 == 0 { 1.3 } else { -1.3 });
    let slope = |z: f64| 1.0 - z.tanh().powi(2);
    let field = weight_field(
        inputs.view(),
        &labels,
        w.view(),
        (b.view(), j.view()),
        slope,
    )
    .unwrap();
    let h = 1e-5;
    for i in 0..8 {
        for d in 0..5 {
            let at = |step: f64| {
                let mut w = w.clone();
                w[[i, d]] += step;
                loss(&inputs, &labels, &w, &b, &j)
            };
            let numerical = -(at(h) - at(-h)) / (2.0 * h);
            assert!((numerical - field[[i, d]]).abs() < 1e-8, "{i} {d}");
        }
    }
    let short = Array1::zeros(3);
    let e = weight_field(
        inputs.view(),
        &labels,
        w.view(),
        (short.view(), j.view()),
        slope,
    );
    assert!(e.unwrap_err().to_string().contains("biases"));
}

#[test]
fn axes_point_between_and_within_classes() {
    let inputs = array![[0., 0., 0.], [0., 2., 0.], [4., 0., 0.], [4., 2., 0.]];
    let axes = class_axes(inputs.view(), &bit(2, 0)).unwrap();
    // The second class differs along the axis that the first gave.
    assert_eq!(axes, array![[1., 0., 0.], [0., -1., 0.]]);
    // Of a parity the class means are one: two diagonals are left.
    let axes = class_axes(inputs.view(), &bit(2, 2)).unwrap();
    assert_eq!(axes.nrows(), 2);
    assert!(axes.row(0).dot(&axes.row(1)).abs() < 1e-12);
    assert!(class_axes(inputs.view(), &bit(3, 0)).is_err());
}
