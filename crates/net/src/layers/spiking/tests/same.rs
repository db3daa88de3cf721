//! One pass against Burn's operations, step by step.

use super::*;

/// Spikes and the gradients of input and leak, of a weighted sum of spikes.
fn run<T: Real>(
    shape: [usize; 3],
    (input, leak, weigh): (&[f64], &[f64], &[f64]),
    layer: impl Fn(Tensor<3>, Tensor<1>) -> Tensor<3>,
) -> [Vec<T>; 3] {
    let device = Device::flex().autodiff();
    let input = upload(to::<T>(input), shape, &device).require_grad();
    let leak = upload(to::<T>(leak), [leak.len()], &device).require_grad();
    let spikes = layer(input.clone(), leak.clone());
    let loss = (spikes.clone() * upload(to::<T>(weigh), shape, &device)).sum();
    let grads = loss.backward();
    [
        download(spikes.inner()),
        download(input.grad(&grads).unwrap()),
        download(leak.grad(&grads).unwrap()),
    ]
}

fn all<T: Real + PartialEq>(tolerance: f64) {
    let mut n_spikes = 0.0;
    // The second has more neurons than one task.
    for (shape, n_leaks) in [([12, 3, 5], 1), ([12, 3, 5], 5), ([6, 5, 130], 130)] {
        let n = shape.iter().product();
        let input = draws("input", n, (-0.5, 1.2));
        let leak = draws("leak", n_leaks, (0.3, 0.95));
        let weigh = draws("weigh", n, (-1.0, 1.0));
        for config in all_settings() {
            for firing in [Firing::Spikes, Firing::Smooth] {
                let config = Lif { firing, ..config };
                let data = (&input[..], &leak[..], &weigh[..]);
                let ours = run::<T>(shape, data, |i, l| lif(i, l, &config).unwrap());
                let burns = run::<T>(shape, data, |i, l| lif_composed(i, l, &config).unwrap());
                if firing == Firing::Spikes {
                    assert_eq!(ours[0], burns[0], "{config:?}");
                    assert!(ours[0].iter().all(|s| [0.0, 1.0].contains(&s.wide())));
                    n_spikes += ours[0].iter().map(|s| s.wide()).sum::<f64>();
                }
                for ((a, b), what) in ours.iter().zip(&burns).zip(["spikes", "input", "leak"]) {
                    close(&format!("{what} {config:?}"), a, b, tolerance);
                }
            }
        }
    }
    assert!(n_spikes > 1e4, "{n_spikes} spikes are too few to compare");
}

#[test]
fn one_pass_equals_burns_steps_in_double_precision() {
    all::<f64>(1e-11);
}

#[test]
fn one_pass_equals_burns_steps_in_single_precision() {
    all::<f32>(1e-4);
}

#[test]
fn the_same_on_slices_and_outside_a_graph() {
    let shape = [9, 2, 3];
    let n = shape.iter().product();
    let (input, weigh) = (
        draws("input", n, (-0.5, 1.2)),
        draws("weigh", n, (-1.0, 1.0)),
    );
    let leak = [0.8, 0.6, 0.9];
    for config in all_settings() {
        let data = (&input[..], &leak[..], &weigh[..]);
        let [spikes, of_input, of_leak] =
            run::<f32>(shape, data, |i, l| lif(i, l, &config).unwrap());
        let (mut u, mut s) = (to::<f32>(&input), vec![0.0; n]);
        let (leak, mut grad) = (to::<f32>(&leak), to::<f32>(&weigh));
        lif_forward(&config, shape, &leak, &mut u, &mut s).unwrap();
        let leaks = lif_backward(&config, shape, &leak, &u, &mut grad).unwrap();
        assert_eq!((&s, &grad, &leaks), (&spikes, &of_input, &of_leak));
        let device = Device::flex();
        // A view whose memory is longer than it is.
        let longer = [to::<f32>(&input), vec![5.0; 6]].concat();
        let view = upload(longer, [10, 2, 3], &device).narrow(0, 0, 9);
        let plain = lif(view, upload(leak, [3], &device), &config).unwrap();
        assert_eq!(download::<f32, 3>(plain), spikes);
    }
}

#[test]
fn gradients_go_where_they_are_tracked() {
    let shape = [5, 2, 3];
    let input = draws("input", 30, (0.0, 1.5));
    let make = |device: &Device| upload(to::<f32>(&input), shape, device);
    let (plain, graph) = (Device::flex(), Device::flex().autodiff());
    let leak = Tensor::<1>::from_floats([0.9], &graph).require_grad();
    // An input outside the graph, as recorded spikes are.
    let grads = lif(make(&plain), leak.clone(), &Lif::default()).unwrap();
    let alone = leak.grad(&grads.sum().backward()).unwrap();
    let tracked = make(&graph).require_grad();
    let grads = lif(tracked.clone(), leak.clone(), &Lif::default()).unwrap();
    let grads = grads.sum().backward();
    assert_eq!(
        download::<f32, 1>(alone),
        download::<f32, 1>(leak.grad(&grads).unwrap())
    );
    let fixed = Tensor::<1>::from_floats([0.9], &plain);
    let spikes = lif(tracked.clone(), fixed, &Lif::default()).unwrap();
    assert_eq!(
        download::<f32, 3>(tracked.grad(&spikes.sum().backward()).unwrap()),
        download::<f32, 3>(tracked.grad(&grads).unwrap())
    );
}

#[test]
fn bits_do_not_depend_on_threads() {
    let shape = [40, 16, 300];
    let n = shape.iter().product();
    let (input, leak) = (
        draws("input", n, (-0.5, 1.2)),
        draws("leak", 300, (0.3, 0.95)),
    );
    let weigh = draws("weigh", n, (-1.0, 1.0));
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let data = (&input[..], &leak[..], &weigh[..]);
            run::<f32>(shape, data, |i, l| lif(i, l, &Lif::default()).unwrap())
        })
    };
    let one = bits(1);
    assert_eq!(one, bits(2));
    assert_eq!(one, bits(5));
}
