//! Windows that are longer one way than the other, and signals as images of one row.

use super::super::{Layer, Network, Pooling, Window};
use super::{drawn, network};

/// By the definition, place by place: weights `[channel, row, column of the window]` by `[channel out]`.
fn convolved(window: &Window, x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let [channels, height, width] = window.image;
    let [rows, columns] = window.outputs();
    let mut out = vec![];
    for (to, b) in bias.iter().enumerate() {
        for row in 0..rows {
            for column in 0..columns {
                let mut sum = *b;
                for channel in 0..channels {
                    for y in 0..window.size[0] {
                        for x_ in 0..window.size[1] {
                            let at_y = (row * window.stride[0] + y).checked_sub(window.padding[0]);
                            let at_x =
                                (column * window.stride[1] + x_).checked_sub(window.padding[1]);
                            let (Some(i), Some(j)) = (at_y, at_x) else {
                                continue;
                            };
                            if i >= height || j >= width {
                                continue;
                            }
                            let patch = (channel * window.size[0] + y) * window.size[1] + x_;
                            sum += x[(channel * height + i) * width + j]
                                * weight[patch * bias.len() + to];
                        }
                    }
                }
                out.push(sum);
            }
        }
    }
    out
}

fn rectangular() -> Window {
    Window {
        image: [2, 4, 7],
        size: [2, 3],
        stride: [1, 2],
        padding: [1, 0],
    }
}

#[test]
fn convolutions_of_signals_and_of_rectangles_are_the_sums_of_the_definition() {
    for window in [
        Window::along([1, 40], 9, 4, 3),
        Window::along([3, 11], 3, 1, 1),
        rectangular(),
    ] {
        let net: Network<f64> = network(window.inputs(), &[Layer::convolution(window, 3)], 2);
        let x = drawn::<f64>(4, window.inputs(), 5);
        let found = net.outputs(x.view()).unwrap();
        let arrays = &net.parameters().arrays;
        for (x, found) in x.rows().into_iter().zip(found.rows()) {
            let expected = convolved(
                &window,
                x.as_slice().unwrap(),
                &arrays[0].values,
                &arrays[1].values,
            );
            assert_eq!(found.len(), expected.len());
            for (a, b) in found.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-13, "{window:?}: {a} {b}");
            }
        }
        // As PyTorch has it: out, in, rows, columns; of a signal without rows.
        let ([channels, ..], [rows, columns]) = (window.image, window.size);
        let weights = net.weights();
        let shape = weights["0.weight"].shape();
        if rows == 1 {
            assert_eq!(shape, [3, channels, columns]);
        } else {
            assert_eq!(shape, [3, channels, rows, columns]);
        }
    }
}

#[test]
fn pools_of_signals_take_neighbors_along_them() {
    let window = Window::along([2, 5], 2, 2, 0);
    let x = ndarray::array![[1.0, 5.0, -2.0, -3.0, 9.0, 0.0, 0.0, 4.0, 6.0, 9.0]];
    for (pooling, expected) in [
        (Pooling::Max, [5.0, -2.0, 0.0, 6.0]),
        (Pooling::Mean, [3.0, -2.5, 0.0, 5.0]),
    ] {
        let net: Network<f64> = network(10, &[Layer::Pool { window, pooling }], 1);
        let found = net.outputs(x.view()).unwrap();
        assert_eq!(found.as_slice().unwrap(), expected, "{pooling:?}");
    }
}

#[test]
fn a_signal_of_2048_samples_comes_to_16_channels_of_3() {
    // The network for bearings of card 34's group.
    let first = Window::along([1, 2048], 64, 8, 28);
    assert_eq!(first.outputs(), [1, 256]);
    let mut samples = 128;
    for padding in [1, 1, 1, 1, 0] {
        let [_, places] = Window::along([16, samples], 3, 1, padding).outputs();
        samples = Window::along([16, places], 2, 2, 0).outputs()[1];
    }
    assert_eq!(samples, 3);
}

#[test]
fn square_windows_are_written_with_one_number_for_both_sides() {
    let square = r#"{"image":[3,8,8],"size":3,"stride":1,"padding":1}"#;
    let window: Window = serde_json::from_str(square).unwrap();
    assert_eq!(window, Window::same([3, 8, 8]));
    assert_eq!(serde_json::to_string(&window).unwrap(), square);
    let written = serde_json::to_string(&rectangular()).unwrap();
    assert!(written.contains(r#""size":[2,3]"#), "{written}");
    assert_eq!(
        serde_json::from_str::<Window>(&written).unwrap(),
        rectangular()
    );
}

#[test]
fn windows_that_do_not_fit_are_refused_by_field_and_axis() {
    let refused = |change: &dyn Fn(&mut Window)| {
        let mut window = rectangular();
        change(&mut window);
        let said = Layer::convolution(window, 1).width(56).unwrap_err();
        (said.field.clone(), said.to_string())
    };
    let (field, said) = refused(&|w| w.size[1] = 8);
    assert_eq!(field, "size");
    assert!(said.contains("columns") && said.contains('7'), "{said}");
    let (field, said) = refused(&|w| w.stride[0] = 0);
    assert!(field == "stride" && said.contains("rows"), "{said}");
    let (field, said) = refused(&|w| w.padding[0] = 2);
    assert!(field == "padding" && said.contains("rows"), "{said}");
    let (field, _) = refused(&|w| w.image[2] = 6);
    assert_eq!(field, "image");
}
