use chiasm_core::{Quiet, Streams};
use ndarray::{Array2, Array3, Axis};
use proptest::prelude::*;
use rand::RngExt;

use super::hals::{Hals, sweep};
use super::*;

fn sweep_one(start: &mut Hals<'_>) -> f64 {
    sweep(&mut [start], Precision::Double)[0]
}

fn random_matrix(n: usize, r: usize, rng: &mut chiasm_core::Rng) -> Array2<f64> {
    Array2::from_shape_fn((n, r), |_| rng.random())
}

/// `sum_r time pairs animals`, dense.
fn model(time: &Array2<f64>, pairs: &Array2<f64>, animals: &Array2<f64>) -> Array3<f64> {
    let shape = (time.nrows(), pairs.nrows(), animals.nrows());
    Array3::from_shape_fn(shape, |(t, p, w)| {
        (0..time.ncols())
            .map(|r| time[[t, r]] * pairs[[p, r]] * animals[[w, r]])
            .sum()
    })
}

/// Planted factors of rank 3 with the exact tensor they make: sparse enough to be identifiable.
fn planted(seed: u64) -> (Array2<f64>, Array2<f64>, Array2<f64>, Array3<f32>) {
    let mut rng = Streams::new(seed).stream("planted");
    let mut sparse =
        |n: usize| random_matrix(n, 3, &mut rng).mapv(|v| if v < 0.4 { 0.0 } else { v });
    let (time, pairs, animals) = (sparse(40), sparse(30), sparse(6));
    let dense = model(&time, &pairs, &animals).mapv(|v| v as f32);
    (time, pairs, animals, dense)
}

/// The same array with a share of entries missing at random, and some (pair, animal) columns missing throughout.
fn with_missing(dense: &Array3<f32>, holes: f64, columns: f64, seed: u64) -> Array3<f32> {
    let mut rng = Streams::new(seed).stream("missing");
    let mut x = dense.clone();
    for mut animal in x.axis_iter_mut(Axis(2)) {
        for mut column in animal.axis_iter_mut(Axis(1)) {
            let gone = rng.random::<f64>() < columns;
            for v in &mut column {
                if gone || rng.random::<f64>() < holes {
                    *v = f32::NAN;
                }
            }
        }
    }
    x
}

/// The plain version: every entry visited, the normal equations summed entry by entry, columns updated one after
/// another. Columns that are missing throughout are left out; holes are filled with the reconstruction.
struct Plain<'a> {
    x: &'a Array3<f32>,
    factors: [Array2<f64>; 3],
}

impl Plain<'_> {
    fn update(&mut self, mode: usize) {
        self.update_with(mode, &self.fill());
    }

    /// The data with holes filled in; columns missing throughout stay NaN.
    fn fill(&self) -> Array3<f64> {
        let [time, pairs, animals] = &self.factors;
        let now = model(time, pairs, animals);
        Array3::from_shape_fn(self.x.dim(), |(t, p, w)| {
            let column_seen = (0..self.x.dim().0).any(|t| !self.x[[t, p, w]].is_nan());
            match self.x[[t, p, w]] {
                v if !v.is_nan() => f64::from(v),
                _ if column_seen => now[[t, p, w]],
                _ => f64::NAN,
            }
        })
    }

    fn update_with(&mut self, mode: usize, filled: &Array3<f64>) {
        let r = self.factors[0].ncols();
        let others: Vec<usize> = (0..3).filter(|&m| m != mode).collect();
        for i in 0..self.factors[mode].nrows() {
            let (mut y, mut g) = (vec![0.0; r], vec![0.0; r * r]);
            for ((t, p, w), &v) in filled.indexed_iter().filter(|(_, v)| !v.is_nan()) {
                let at = [t, p, w];
                if at[mode] != i {
                    continue;
                }
                let h: Vec<f64> = (0..r)
                    .map(|c| {
                        others
                            .iter()
                            .map(|&m| self.factors[m][[at[m], c]])
                            .product()
                    })
                    .collect();
                for a in 0..r {
                    y[a] += v * h[a];
                    for b in 0..r {
                        g[a * r + b] += h[a] * h[b];
                    }
                }
            }
            for c in 0..r {
                if g[c * r + c] > 0.0 {
                    let gu: f64 = (0..r)
                        .map(|k| self.factors[mode][[i, k]] * g[c * r + k])
                        .sum();
                    let u = &mut self.factors[mode][[i, c]];
                    *u = (*u + (y[c] - gu) / g[c * r + c]).max(0.0);
                }
            }
        }
    }

    fn sweep(&mut self) {
        self.update(0);
        // Pairs and animals share one fill, as they share one pass over the data.
        let filled = self.fill();
        self.update_with(1, &filled);
        self.update_with(2, &filled);
        for c in 0..self.factors[0].ncols() {
            for mode in 0..2 {
                let norm = self.factors[mode].column(c).mapv(|v| v * v).sum().sqrt();
                self.factors[mode].column_mut(c).mapv_inplace(|v| v / norm);
                self.factors[2].column_mut(c).mapv_inplace(|v| v * norm);
            }
        }
    }

    fn loss(&self) -> f64 {
        let [time, pairs, animals] = &self.factors;
        let now = model(time, pairs, animals);
        let seen = self.x.indexed_iter().filter(|(_, v)| !v.is_nan());
        seen.map(|(i, v)| (f64::from(*v) - now[i]).powi(2)).sum()
    }
}

fn compare_with_plain(x: &Array3<f32>, rank: usize) {
    let tensor = MaskedTensor::from_dense(x).unwrap();
    let mut fast = Hals::random(&tensor, rank, 1, Streams::new(5).stream("start"));
    let as_matrix = |m: &[f64]| Array2::from_shape_vec((m.len() / rank, rank), m.to_vec()).unwrap();
    let mut plain = Plain {
        x,
        factors: [
            as_matrix(&fast.time),
            as_matrix(&fast.pairs),
            as_matrix(&fast.animals),
        ],
    };
    for _ in 0..5 {
        let loss = sweep_one(&mut fast);
        plain.sweep();
        assert!(
            (loss - plain.loss()).abs() < 1e-9 * tensor.sum_of_squares,
            "{loss} {}",
            plain.loss()
        );
        for (f, p) in [&fast.time, &fast.pairs, &fast.animals]
            .into_iter()
            .zip(&plain.factors)
        {
            for (a, b) in f.iter().zip(p) {
                assert!((a - b).abs() < 1e-8, "{a} {b}");
            }
        }
    }
}

#[test]
fn fast_equals_plain_without_and_with_missing_entries() {
    let mut rng = Streams::new(1).stream("noise");
    let x = planted(1).3.mapv(|v| v + 0.2 * rng.random::<f32>());
    compare_with_plain(&x, 3);
    compare_with_plain(&with_missing(&x, 0.0, 0.3, 2), 4);
    compare_with_plain(&with_missing(&x, 0.1, 0.2, 3), 5);
}

#[test]
fn exact_data_are_recovered_from_most_starts() {
    let (time, pairs, animals, x) = planted(4);
    let truth = Factors {
        time: time.clone(),
        pairs,
        animals,
        errors: vec![0.0],
        converged: true,
    };
    let fit = Factorization {
        rank: 3,
        starts: 1,
        max_sweeps: 2000,
        tolerance: 1e-9,
        ..Factorization::default()
    };
    // Single missing entries only: a pair that no animal with weight shows would have no value to be compared.
    for x in [x.clone(), with_missing(&x, 0.2, 0.0, 9)] {
        let tensor = MaskedTensor::from_dense(&x).unwrap();
        let recovered = (0..10)
            .filter(|&seed| {
                let best = fit.fit(&tensor, &Streams::new(seed), &Quiet).unwrap().best;
                // Norms are split differently between modes: bring the truth to the same form.
                best.relative_error() < 1e-4 && similarity(&best, &unit(&truth)) > 0.99
            })
            .count();
        assert!(recovered >= 8, "{recovered} of 10 starts");
    }
}

/// The same factors with time and pair columns of unit norm.
fn unit(f: &Factors) -> Factors {
    let mut f = f.clone();
    for c in 0..f.rank() {
        let nt = f.time.column(c).mapv(|v| v * v).sum().sqrt();
        let np = f.pairs.column(c).mapv(|v| v * v).sum().sqrt();
        f.time.column_mut(c).mapv_inplace(|v| v / nt);
        f.pairs.column_mut(c).mapv_inplace(|v| v / np);
        f.animals.column_mut(c).mapv_inplace(|v| v * nt * np);
    }
    f
}

#[test]
fn permuting_animals_permutes_their_weights_only() {
    let x = with_missing(&planted(6).3, 0.05, 0.2, 1);
    let order = [3, 0, 5, 1, 4, 2];
    let permuted = x.select(Axis(2), &order);
    let (a, b) = (
        MaskedTensor::from_dense(&x).unwrap(),
        MaskedTensor::from_dense(&permuted).unwrap(),
    );
    let rng = || Streams::new(0).stream("start");
    let mut first = Hals::random(&a, 3, 2, rng());
    let mut second = Hals::random(&b, 3, 2, rng());
    second.time.clone_from(&first.time);
    second.pairs.clone_from(&first.pairs);
    second.animals = order
        .iter()
        .flat_map(|&w| first.animals[w * 3..w * 3 + 3].to_vec())
        .collect();
    for _ in 0..20 {
        let (la, lb) = (sweep_one(&mut first), sweep_one(&mut second));
        assert!((la - lb).abs() < 1e-9 * a.sum_of_squares);
    }
    for (x, y) in first
        .time
        .iter()
        .chain(&first.pairs)
        .zip(second.time.iter().chain(&second.pairs))
    {
        assert!((x - y).abs() < 1e-7);
    }
    for (to, &from) in order.iter().enumerate() {
        for c in 0..3 {
            let (x, y) = (first.animals[from * 3 + c], second.animals[to * 3 + c]);
            assert!((x - y).abs() < 1e-6 * (1.0 + x));
        }
    }
}

#[test]
fn same_bits_on_one_thread_and_on_four() {
    let tensor = MaskedTensor::from_dense(&with_missing(&planted(2).3, 0.05, 0.2, 7)).unwrap();
    for precision in [Precision::Double, Precision::Single] {
        same_bits(&tensor, precision);
    }
}

fn same_bits(tensor: &MaskedTensor, precision: Precision) {
    let fit = Factorization {
        rank: 4,
        starts: 3,
        max_sweeps: 20,
        precision,
        polish: 5,
        ..Factorization::default()
    };
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| fit.fit(tensor, &Streams::new(1), &Quiet).unwrap())
    };
    let all = run(1);
    assert_eq!(all, run(4));
    // A start is swept as if it were alone.
    let alone = Factorization {
        starts: 1,
        ..fit.clone()
    };
    let first = alone.fit(tensor, &Streams::new(1), &Quiet).unwrap();
    assert_eq!(first.errors[0], all.errors[0]);
}

#[test]
fn single_precision_is_close_and_polishing_makes_up_for_it() {
    let mut rng = Streams::new(3).stream("noise");
    let x = planted(11).3.mapv(|v| v + 0.2 * rng.random::<f32>());
    let tensor = MaskedTensor::from_dense(&with_missing(&x, 0.05, 0.1, 5)).unwrap();
    let double = Factorization {
        rank: 3,
        starts: 2,
        max_sweeps: 30,
        tolerance: 0.0,
        ..Factorization::default()
    };
    let single = Factorization {
        precision: Precision::Single,
        ..double.clone()
    };
    let run = |f: &Factorization| f.fit(&tensor, &Streams::new(2), &Quiet).unwrap().best;
    let (exact, rough) = (run(&double), run(&single));
    assert!((exact.relative_error() / rough.relative_error() - 1.0).abs() < 1e-4);
    let polished = run(&Factorization {
        polish: 100,
        tolerance: 1e-6,
        ..single.clone()
    });
    assert!(polished.converged && polished.relative_error() <= rough.relative_error());
    let long = run(&Factorization {
        max_sweeps: 130,
        tolerance: 1e-6,
        ..double.clone()
    });
    assert!((polished.relative_error() / long.relative_error() - 1.0).abs() < 1e-4);
    let from = polished.errors.len().saturating_sub(50);
    for pair in polished.errors[from..].windows(2) {
        assert!(pair[1] <= pair[0] + 1e-12);
    }
}

#[test]
fn a_dead_component_comes_back_without_raising_the_loss() {
    let x = planted(3).3;
    let tensor = MaskedTensor::from_dense(&x).unwrap();
    let mut hals = Hals::random(&tensor, 3, 2, Streams::new(8).stream("start"));
    let before = sweep_one(&mut hals);
    for w in hals.animals.iter_mut().skip(1).step_by(3) {
        *w = 0.0;
    }
    let mut loss = f64::MAX;
    for _ in 0..300 {
        let next = sweep_one(&mut hals);
        assert!(next <= loss + 1e-13 * tensor.sum_of_squares);
        loss = next;
    }
    assert!(loss < 0.1 * before && hals.animals.iter().skip(1).step_by(3).any(|w| *w > 1e-3));
}

#[test]
fn refusals_name_the_place() {
    let mut x = Array3::from_elem((4, 3, 2), 1.0f32);
    x[[2, 1, 1]] = -1.0;
    let error = MaskedTensor::from_dense(&x).unwrap_err();
    assert_eq!(
        error,
        FactorizationError::Entry {
            animal: 1,
            pair: 1,
            frame: 2,
            found: -1.0
        }
    );
    let all_missing = MaskedTensor::from_dense(&Array3::from_elem((4, 3, 2), f32::NAN)).unwrap();
    let fit = Factorization {
        rank: 2,
        ..Factorization::default()
    };
    let run = |t: &MaskedTensor, f: &Factorization| f.fit(t, &Streams::new(0), &Quiet).unwrap_err();
    assert!(matches!(
        run(&all_missing, &fit),
        FactorizationError::Empty { .. }
    ));
    let zero = MaskedTensor::from_dense(&Array3::zeros((4, 3, 2))).unwrap();
    assert_eq!(run(&zero, &fit), FactorizationError::AllZero);
    let one = MaskedTensor::from_dense(&Array3::ones((4, 3, 2))).unwrap();
    let greedy = Factorization {
        rank: 7,
        ..Factorization::default()
    };
    assert!(matches!(
        run(&one, &greedy),
        FactorizationError::Rank { most: 6, .. }
    ));
    let none = Factorization {
        rank: 0,
        ..Factorization::default()
    };
    assert!(matches!(run(&one, &none), FactorizationError::Setting(_)));
    let mut tensor = MaskedTensor::new(4, 3);
    let slab = Array2::ones((4, 2));
    assert!(tensor.push_animal(&[0, 3], slab.view()).is_err());
    assert!(tensor.push_animal(&[1, 1], slab.view()).is_err());
    assert!(tensor.push_animal(&[0], slab.view()).is_err());
}

#[test]
fn hidden_entries_prefer_the_true_rank() {
    let mut rng = Streams::new(1).stream("noise");
    let x = planted(12).3.mapv(|v| v + 0.3 * rng.random::<f32>());
    let tensor = MaskedTensor::from_dense(&x).unwrap();
    let error = |rank| {
        let fit = Factorization {
            rank,
            starts: 3,
            ..Factorization::default()
        };
        fit.cross_validate(&tensor, 0.1, &Streams::new(0), &Quiet)
            .unwrap()
    };
    // Three motifs and the noise's mean level.
    let (two, four, nine) = (error(2), error(4), error(9));
    assert!(four < two && four < nine, "{two} {four} {nine}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_loss_never_rises(seed in 0u64..1000, rank in 1usize..6, holes in 0.0f64..0.3, columns in 0.0f64..0.4) {
        let x = with_missing(&planted(seed).3, holes, columns, seed);
        let tensor = MaskedTensor::from_dense(&x).unwrap();
        let fit = Factorization { rank, starts: 1, max_sweeps: 40, tolerance: 0.0, ..Factorization::default() };
        let errors = fit.fit(&tensor, &Streams::new(seed), &Quiet).unwrap().best.errors;
        for pair in errors.windows(2) {
            // Squared errors are differences of sums near 1: they carry a rounding of about 1e-15.
            prop_assert!(pair[1].powi(2) <= pair[0].powi(2) + 1e-13, "{errors:?}");
        }
    }
}
