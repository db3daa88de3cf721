use burn_tensor::{Device, Tensor};
use chiasm_core::Streams;
use rand::RngExt;

use super::*;
use crate::Real;
use crate::train::{download, upload};

fn random<T: Real>(name: &str, shape: [usize; 2], device: &Device) -> Tensor<2> {
    let mut rng = Streams::new(4).stream(name);
    let values = (0..shape[0] * shape[1])
        .map(|_| T::of(2.0 * rng.random::<f64>() - 1.0))
        .collect();
    upload(values, shape, device)
}

/// A loss of one output and the gradients of the inputs it is to have.
fn run<T: Real>(
    inputs: &[Tensor<2>],
    f: impl Fn(&[Tensor<2>]) -> Tensor<1>,
) -> (Vec<T>, Vec<Vec<T>>) {
    let leaves: Vec<Tensor<2>> = inputs.iter().map(|t| t.clone().require_grad()).collect();
    let loss = f(&leaves);
    let grads = loss.backward();
    let of = |t: &Tensor<2>| t.grad(&grads).map(download::<T, 2>).unwrap_or_default();
    (download(loss.inner()), leaves.iter().map(of).collect())
}

fn close<T: Real>(a: &[T], b: &[T], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    let scale = b.iter().map(|v| v.wide().abs()).fold(1e-3, f64::max);
    for (a, b) in a.iter().zip(b) {
        let gap = (a.wide() - b.wide()).abs() / scale;
        assert!(gap < tolerance, "{:?} {:?}", a.wide(), b.wide());
    }
}

fn same<T: Real>(
    tolerance: f64,
    inputs: &[Tensor<2>],
    ours: impl Fn(&[Tensor<2>]) -> Tensor<1>,
    burns: impl Fn(&[Tensor<2>]) -> Tensor<1>,
) {
    let (value, grads) = run::<T>(inputs, ours);
    let (expected, expected_grads) = run::<T>(inputs, burns);
    close(&value, &expected, tolerance);
    for (g, e) in grads
        .iter()
        .zip(&expected_grads)
        .filter(|(_, e)| !e.is_empty())
    {
        close(g, e, tolerance);
    }
}

fn all<T: Real>(tolerance: f64) {
    let device = Device::flex().autodiff();
    // More rows than one task has, and a width that no vector divides.
    let x = random::<T>("x", [150, 7], &device);
    let w = random::<T>("w", [7, 13], &device);
    let b = random::<T>("b", [1, 13], &device);
    let weigh = random::<T>("weigh", [150, 13], &device);
    for activation in [Activation::Linear, Activation::Elu] {
        let loss = |y: Tensor<2>| (y * weigh.clone()).sum_dim(1).sum();
        let take = |l: &[Tensor<2>]| (l[0].clone(), l[1].clone(), l[2].clone());
        same::<T>(
            tolerance,
            &[x.clone(), w.clone(), b.clone()],
            |l| {
                let (x, w, b) = take(l);
                loss(dense(x, w, b, activation))
            },
            |l| {
                let (x, w, b) = take(l);
                loss(dense_composed(x, w, b, activation))
            },
        );
        // Outside a graph, and from a transposed input.
        let turned = x.clone().inner().transpose().contiguous_like().transpose();
        let ours = dense(turned, w.clone().inner(), b.clone().inner(), activation);
        let burns = dense_composed(x.clone(), w.clone(), b.clone(), activation);
        close(
            &download::<T, 2>(ours),
            &download::<T, 2>(burns.inner()),
            tolerance,
        );
    }
    let target = random::<T>("target", [150, 7], &device);
    let seen = upload(
        (0..150)
            .map(|r| T::of(f64::from(u8::from(r % 3 > 0))))
            .collect(),
        [150, 1],
        &device,
    );
    same::<T>(
        tolerance,
        std::slice::from_ref(&x),
        |l| squared_error(l[0].clone(), target.clone(), seen.clone()) * 0.3,
        |l| squared_error_composed(l[0].clone(), target.clone(), seen.clone()) * 0.3,
    );
    let counts = upload(
        (0..150 * 7).map(|k| T::of((k % 4) as f64)).collect(),
        [150, 7],
        &device,
    );
    same::<T>(
        tolerance,
        &[x, target],
        |l| poisson_energy(l[0].clone(), l[1].clone(), counts.clone(), seen.clone()) * 0.3,
        |l| poisson_energy_composed(l[0].clone(), l[1].clone(), counts.clone(), seen.clone()) * 0.3,
    );
}

trait ContiguousLike {
    fn contiguous_like(self) -> Self;
}

impl ContiguousLike for Tensor<2> {
    /// A copy whose memory lies in the order of its rows.
    fn contiguous_like(self) -> Self {
        self * 1.0
    }
}

#[test]
fn one_pass_equals_burns_operations_and_gradients() {
    all::<f64>(1e-12);
    all::<f32>(3e-5);
}

#[test]
fn bits_do_not_depend_on_threads() {
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let device = Device::flex().autodiff();
            let inputs = [
                random::<f32>("x", [1200, 400], &device),
                random::<f32>("w", [400, 128], &device),
                random::<f32>("b", [1, 128], &device),
            ];
            let target = random::<f32>("t", [1200, 128], &device);
            let seen = upload(vec![1.0f32; 1200], [1200, 1], &device);
            run::<f32>(&inputs, |l| {
                let y = dense(l[0].clone(), l[1].clone(), l[2].clone(), Activation::Elu);
                let v = y.clone() * 0.1;
                squared_error(y.clone(), target.clone(), seen.clone())
                    + poisson_energy(y, v, target.clone(), seen.clone())
            })
        })
    };
    let one = bits(1);
    assert_eq!(one, bits(2));
    assert_eq!(one, bits(4));
}
