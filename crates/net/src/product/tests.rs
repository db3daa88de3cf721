//! Products whose sums are exact, in whatever order: of whole numbers and of odd halves.

use faer::Accum;

use super::sparse::{WIDE, pays, wide};
use super::{Sparse, multiply, multiply_turned, turned_multiply};
use crate::Real;

fn turned<T: Real>(of: &[T], columns: usize) -> Vec<T> {
    let column = |j: usize| of.iter().skip(j).step_by(columns).copied();
    (0..columns).flat_map(column).collect()
}

#[test]
fn products_cut_along_rows_columns_and_both_are_the_sums_they_stand_for() {
    let numbers = |n: usize| -> Vec<f64> { (0..n).map(|i| ((i * i) % 23) as f64 - 11.0).collect() };
    for (n, k, m) in [(1100, 4, 1030), (2000, 70, 33), (33, 70, 2000)] {
        let (a, b) = (numbers(n * k), numbers(k * m));
        let rows = a.chunks_exact(k);
        let expected: Vec<f64> = rows
            .flat_map(|row| {
                let mut sums = vec![1.0; m];
                for (x, b) in row.iter().zip(b.chunks_exact(m)) {
                    sums.iter_mut().zip(b).for_each(|(s, b)| *s += x * b);
                }
                sums
            })
            .collect();
        let mut out = vec![1.0; n * m];
        multiply(&mut out, (&a, n, k), (&b, k, m), Accum::Add);
        assert_eq!(out, expected);
        out.fill(1.0);
        multiply_turned(&mut out, (&a, n, k), (&turned(&b, m), m, k), Accum::Add);
        assert_eq!(out, expected);
        out.fill(1.0);
        turned_multiply(&mut out, (&turned(&a, k), k, n), (&b, k, m), Accum::Add);
        assert_eq!(out, expected);
    }
}

/// Odd halves, of which so many in a hundred are not 0.
fn halves<T: Real>(n: usize, percent: usize) -> Vec<T> {
    let of = |i: usize| match (i * i + i / 7) * 31 % 100 < percent {
        true => T::of(((i * 7 + i / 11) % 23) as f64 - 11.5),
        false => T::ZERO,
    };
    (0..n).map(of).collect()
}

fn agrees<T: Real>(threads: usize, block: usize) {
    let (n, k) = (70, 100);
    let mut sparse = Sparse::default();
    // One strip, several, and one that is not full; nothing but zeros, and none.
    for (m, percent) in [(192, 40), (389, 20), (7, 40), (9, 0), (30, 100)] {
        let (a, b) = (halves::<T>(n * k, percent), halves::<T>(k * m, 100));
        let a_turned = turned(&a, k);
        for accum in [Accum::Replace, Accum::Add] {
            let what = format!("{threads} threads, blocks of {block}, {m} columns");
            let mut expected = vec![T::ONE; n * m];
            multiply(&mut expected, (&a, n, k), (&b, k, m), accum);
            let mut out = vec![T::ONE; n * m];
            sparse.resize((n, k), (12, block * 768));
            sparse.gather((&a, n, k));
            sparse.by_strips(&mut out, (&b, k, m), accum);
            assert_eq!(out, expected, "{what}");
            out.fill(T::ONE);
            sparse.resize((n, k), (6, block * 384));
            sparse.gather_turned((&a_turned, k, n));
            sparse.by_parts(&mut out, (&b, k, m), accum);
            assert_eq!(out, expected, "turned: {what}");
        }
    }
}

#[test]
fn numbers_without_zeros_give_the_full_product_however_they_are_cut() {
    for threads in [1, 3, 40] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            for block in [1, 32, 48, 100, 128] {
                agrees::<f32>(threads, block);
                agrees::<f64>(threads, block);
            }
        });
    }
}

#[test]
fn zeros_are_passed_over_where_they_are_many_and_the_factors_large_and_what_is_not_a_number_shows()
{
    let (n, k, m) = (128, 200, 1000);
    let (b, mut out) = (halves::<f32>(k * m, 100), vec![0.0; n * m]);
    let mut half = halves::<f32>(n * k, 50);
    let chosen = |a: &[f32], n, m| pays(&a[..n * k], (n, k, m), WIDE);
    assert_eq!(chosen(&half, n, m), wide());
    assert!(!chosen(&halves(n * k, 70), n, m));
    assert!(!chosen(&half, n, 20) && !chosen(&half, 20, m));
    half[3 * k + 5] = f32::NAN;
    let mut sparse = Sparse::default();
    let with_nan = |out: &[f32]| -> Vec<usize> {
        let rows = out.chunks(m).enumerate();
        let found = rows.filter(|(_, row)| row.iter().any(|v| v.is_nan()));
        found.map(|(i, _)| i).collect()
    };
    sparse.multiply(&mut out, (&half, n, k), (&b, k, m), Accum::Replace);
    assert_eq!(with_nan(&out), [3]);
    let half = turned(&half, k);
    sparse.turned_multiply(&mut out, (&half, k, n), (&b, k, m), Accum::Replace);
    assert_eq!(with_nan(&out), [3]);
}
