use super::*;
use chiasm_core::Streams;
use ndarray::array;
use proptest::prelude::*;
use rand_distr::{Distribution, StandardNormal};

fn normal(shape: (usize, usize), seed: u64) -> Array2<f64> {
    let mut rng = Streams::new(seed).stream("code");
    Array2::from_shape_simple_fn(shape, || StandardNormal.sample(&mut rng))
}

fn kernel(code: &Array2<f64>) -> Array2<f64> {
    gram(code.view())
}

#[test]
fn values_worked_out_by_hand() {
    // Three orthogonal items: centered, a simplex with eigenvalues 1, 1, 0.
    let simplex = Array2::eye(3);
    let c = centered(simplex.view()).unwrap();
    assert!((c[[0, 0]] - 2.0 / 3.0).abs() < 1e-15 && (c[[0, 1]] + 1.0 / 3.0).abs() < 1e-15);
    assert!((participation_ratio(c.view()).unwrap() - 2.0).abs() < 1e-12);
    assert!((effective_rank(c.view()).unwrap() - 2.0).abs() < 1e-9);
    let values = eigenvalues(array![[2.0, 1.0], [1.0, 2.0]].view()).unwrap();
    assert!((values[0] - 3.0).abs() < 1e-12 && (values[1] - 1.0).abs() < 1e-12);
    // <A, B> = 2, |A| = sqrt 2, |B| = 2.
    let (a, b) = (Array2::eye(2), Array2::from_elem((2, 2), 1.0));
    let cosine = alignment(a.view(), b.view()).unwrap();
    assert!((cosine - 0.5f64.sqrt()).abs() < 1e-15);
    // y = (1, -1): y'Ky = 2 - 2 * 0.5 = 1 of 2 * 2.
    let k = array![[1.0, 0.5], [0.5, 1.0]];
    let served = target_alignment(k.view(), array![1.0, -1.0].view()).unwrap();
    assert!((served - 0.25).abs() < 1e-15);
}

#[test]
fn the_participation_ratio_of_a_simplex_is_one_less_than_its_corners() {
    for p in [4, 9, 32] {
        let c = centered(Array2::eye(p).view()).unwrap();
        let ratio = participation_ratio(c.view()).unwrap();
        assert!((ratio - (p - 1) as f64).abs() < 1e-10, "{p}: {ratio}");
    }
}

#[test]
fn independent_noise_lifts_the_plain_estimate_and_not_the_unbiased_one() {
    let n = 40;
    let (mut plain, mut unbiased) = (0.0, 0.0);
    for i in 0..n {
        let (a, b) = (normal((32, 100), 2 * i), normal((32, 100), 2 * i + 1));
        let (a, b) = (kernel(&a), kernel(&b));
        plain += cka(a.view(), b.view()).unwrap() / n as f64;
        unbiased += cka_unbiased(a.view(), b.view()).unwrap() / n as f64;
    }
    // About 0.75 at 100 units: the diagonals alone.
    assert!(plain > 0.15, "{plain}");
    assert!(unbiased.abs() < 0.02, "{unbiased}");
}

#[test]
fn the_unbiased_criterion_is_its_sum_over_four_different_items() {
    // Song et al.: the mean over ordered quadruples of k_ij (l_ij + l_qr - 2 l_iq).
    let (a, b) = (kernel(&normal((6, 3), 1)), kernel(&normal((6, 2), 2)));
    let (mut sum, mut count) = (0.0, 0.0);
    for i in 0..6 {
        for j in 0..6 {
            for q in 0..6 {
                for r in 0..6 {
                    let all = [i, j, q, r];
                    if (0..4).all(|x| (0..x).all(|y| all[x] != all[y])) {
                        sum += a[[i, j]] * (b[[i, j]] + b[[q, r]] - 2.0 * b[[i, q]]);
                        count += 1.0;
                    }
                }
            }
        }
    }
    let hollow = |k: &Array2<f64>| {
        let mut k = k.clone();
        k.diag_mut().fill(0.0);
        k
    };
    let ours = independence(&hollow(&a), &hollow(&b));
    assert!((ours - sum / count).abs() < 1e-10, "{ours} {}", sum / count);
}

#[test]
fn what_cannot_be_compared_is_refused_by_name() {
    let eye: Array2<f64> = Array2::eye(3);
    let text = |e: Result<f64, KernelError>| e.unwrap_err().to_string();
    let wide = Array2::zeros((2, 3));
    assert!(text(cka(eye.view(), wide.view())).contains("second kernel: expected a square"));
    let four = Array2::eye(4);
    assert!(text(alignment(eye.view(), four.view())).contains("expected 3 items"));
    let mut bad = eye.clone();
    bad[[1, 2]] = f64::NAN;
    assert!(text(cka(bad.view(), eye.view())).contains("row 1, column 2"));
    let flat = Array2::from_elem((3, 3), 7.3);
    assert!(text(cka(flat.view(), eye.view())).contains("alignment undefined"));
    let five = Array2::from_elem((5, 5), 0.3);
    let other = kernel(&normal((5, 2), 1));
    assert!(text(cka_unbiased(other.view(), five.view())).contains("alignment undefined"));
    assert!(text(cka_unbiased(eye.view(), eye.view())).contains("at least 4"));
    let zero = Array2::zeros((3, 3));
    assert!(text(alignment(zero.view(), eye.view())).contains("alignment undefined"));
    assert!(text(participation_ratio(zero.view())).contains("zero"));
    assert!(text(target_alignment(eye.view(), array![1.0, 1.0].view())).contains("labels"));
    assert!(centered(Array2::zeros((0, 0)).view()).is_err());
}

proptest! {
    #[test]
    fn cka_does_not_see_turning_shifting_and_scaling(seed in 0u64..1000, scale in 0.1f64..9.0) {
        let code = normal((7, 4), seed);
        // A reflection is as good as a turn.
        let mut v = normal((4, 1), seed + 5000);
        v /= v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let mirror = Array2::<f64>::eye(4) - 2.0 * v.dot(&v.t());
        let shift = normal((1, 4), seed + 9000);
        let moved = code.dot(&mirror) * scale + &shift;
        let (a, b) = (kernel(&code), kernel(&moved));
        prop_assert!((cka(a.view(), b.view()).unwrap() - 1.0).abs() < 1e-10);
        prop_assert!((cka_unbiased(a.view(), b.view()).unwrap() - 1.0).abs() < 1e-9);
        let other = kernel(&normal((7, 3), seed + 1));
        let (before, after) = (cka(a.view(), other.view()).unwrap(), cka(b.view(), other.view()).unwrap());
        prop_assert!((before - after).abs() < 1e-10);
        prop_assert!((0.0..=1.0 + 1e-12).contains(&before));
    }
}
