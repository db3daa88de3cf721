//! The lateral circuit alone.

use chiasm_core::{Diagnose, Streams};
use ndarray::{Array1, Array2, s};
use rand_distr::{Distribution, StandardNormal};

use super::super::{Birth, Code, Hebb, Subspace};
use super::{frobenius, normal};
use crate::Real;
use crate::continual::ContinualError;
use crate::continual::arrays::product;

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

#[test]
fn what_a_subspace_cannot_do_is_refused_by_name() {
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
}
