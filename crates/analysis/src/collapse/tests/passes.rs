use chiasm_core::linalg::Cholesky;
use ndarray::{Array1, Array2, Axis, s};
use proptest::prelude::*;

use super::{around, close, draws, simplex};
use crate::collapse::dense::orthonormal;
use crate::collapse::{Classifier, Collapse, Decisions, Means, Spread, Sums, Within};

/// Everything in its plainest form: means, variances, `Sigma_W`, `Sigma_B`.
struct Plain {
    means: Array2<f64>,
    variances: Vec<f64>,
    within: Array2<f64>,
    between: Array2<f64>,
}

fn plain(x: &Array2<f64>, labels: &[usize], k: usize) -> Plain {
    let d = x.ncols();
    let (mut means, mut counts) = (Array2::<f64>::zeros((k, d)), vec![0.0; k]);
    for (row, &c) in x.rows().into_iter().zip(labels) {
        let mut mean = means.row_mut(c);
        mean += &row;
        counts[c] += 1.0;
    }
    for (mut mean, n) in means.rows_mut().into_iter().zip(&counts) {
        mean /= *n;
    }
    let mut variances = vec![0.0; k];
    let mut within = Array2::zeros((d, d));
    for (row, &c) in x.rows().into_iter().zip(labels) {
        let apart = &row - &means.row(c);
        variances[c] += apart.dot(&apart) / counts[c];
        let column = apart.insert_axis(Axis(1));
        within = within + column.dot(&column.t()) / labels.len() as f64;
    }
    let global: Array1<f64> = means.mean_axis(Axis(0)).unwrap();
    let apart = &means - &global;
    let between = apart.t().dot(&apart) / k as f64;
    Plain {
        means,
        variances,
        within,
        between,
    }
}

/// The pseudo-inverse of the between-class scatter: its inverse on the span of the means' differences.
fn pseudo_inverse(a: &Array2<f64>, means: &Array2<f64>) -> Array2<f64> {
    let (k, d) = means.dim();
    let basis = if k > d {
        Array2::eye(d)
    } else {
        let differences = &means.slice(s![1.., ..]) - &means.row(0);
        orthonormal(differences.t())
    };
    let inside = basis.t().dot(a).dot(&basis);
    let n = inside.nrows();
    let flat: Vec<f64> = inside.iter().copied().collect();
    let inverse = Cholesky::of(&flat, n).unwrap().inverse();
    let inverse = Array2::from_shape_vec((n, n), inverse).unwrap();
    basis.dot(&inverse).dot(&basis.t())
}

fn in_batches(x: &Array2<f64>, labels: &[usize], k: usize, batch: usize) -> (Means, Within) {
    let pieces = || (0..labels.len()).step_by(batch);
    let to = |from: usize| (from + batch).min(labels.len());
    let mut sums = Sums::new(k, x.ncols()).unwrap();
    for from in pieces() {
        sums.add(x.slice(s![from..to(from), ..]), &labels[from..to(from)])
            .unwrap();
    }
    let means = sums.means().with_between().unwrap();
    let mut spread = Spread::new(&means);
    for from in pieces() {
        let own = x.slice(s![from..to(from), ..]);
        spread.add(&means, own, &labels[from..to(from)]).unwrap();
    }
    let within = spread.within(&means).unwrap();
    (means, within)
}

#[test]
fn passes_equal_the_plain_version_for_any_batches() {
    // Features less than, as many as and more than classes; classes of different sizes.
    for (k, d) in [(5, 3), (4, 4), (3, 9)] {
        let sizes: Vec<usize> = (0..k).map(|c| 3 + 7 * c).collect();
        let (x, labels) = around(&(draws(k, d, 1) * 3.0), &sizes, 1.0, 2);
        let plain = plain(&x, &labels, k);
        let ratio = (plain
            .within
            .dot(&pseudo_inverse(&plain.between, &plain.means)))
        .diag()
        .sum()
            / k as f64;
        let quotient = plain.within.diag().sum() / plain.between.diag().sum();
        for batch in [1, 7, labels.len()] {
            let (means, within) = in_batches(&x, &labels, k, batch);
            let apart = &means.values() - &plain.means;
            assert!(apart.iter().all(|v| v.abs() < 1e-13));
            for (a, b) in within.variances.iter().zip(&plain.variances) {
                assert!(close(*a, *b, 1e-12), "{a} {b}");
            }
            assert!(
                close(within.ratio.unwrap(), ratio, 1e-8),
                "{:?} {ratio}",
                within.ratio
            );
            assert!(close(within.quotient.unwrap(), quotient, 1e-12));
        }
    }
}

#[test]
fn scatter_in_a_simplex_has_the_ratio_of_its_variance() {
    // Sigma_B of a simplex is I/(K - 1) across the classes: NC1 = sigma^2 (K - 1)^2 / K, NC1~ = sigma^2 d.
    let (k, d, sigma) = (4, 4, 0.01);
    let (x, labels) = around(&simplex(k), &[4000; 4], sigma, 5);
    let found = Collapse::of(x.view(), &labels, k, None).unwrap();
    let expected = sigma * sigma * 9.0 / 4.0;
    assert!(
        close(found.ratio, expected, 0.03),
        "{} {expected}",
        found.ratio
    );
    assert!(close(found.quotient, sigma * sigma * d as f64, 0.03));
    assert!(found.simplex < 1e-3);
    // Without scatter all is at its end.
    let (x, labels) = around(&simplex(k), &[3; 4], 0.0, 5);
    let weights = Classifier::new((simplex(k) * 2.0).view(), None).unwrap();
    let found = Collapse::of(x.view(), &labels, k, Some(&weights)).unwrap();
    assert!(found.ratio < 1e-25 && found.quotient < 1e-25 && found.simplex < 1e-12);
    assert!(found.duality.unwrap() < 1e-12);
    let agreement = found.agreement.unwrap();
    assert_eq!((agreement.agreement, agreement.accuracy), (1.0, 1.0));
}

#[test]
fn one_sample_of_each_class_has_no_scatter() {
    let (x, labels) = around(&draws(3, 5, 1), &[1; 3], 1.0, 2);
    let found = Collapse::of(x.view(), &labels, 3, None).unwrap();
    assert_eq!((found.ratio, found.quotient, found.fewest), (0.0, 0.0, 1));
}

#[test]
fn shards_merge_and_single_precision_is_taken_as_it_is() {
    let (x, labels) = around(&(draws(6, 8, 3) * 2.0), &[9, 4, 7, 12, 5, 6], 0.5, 4);
    let x32 = x.mapv(|v| v as f32);
    let wide = x32.mapv(f64::from);
    let (whole, within) = in_batches(&wide, &labels, 6, 10);
    let cut = 17;
    let (first, second) = (s![..cut, ..], s![cut.., ..]);
    let mut sums = Sums::new(6, 8).unwrap();
    sums.add(x32.slice(first), &labels[..cut]).unwrap();
    let mut other = Sums::new(6, 8).unwrap();
    other.add(x32.slice(second), &labels[cut..]).unwrap();
    sums.merge(&other).unwrap();
    let means = sums.means().with_between().unwrap();
    assert_eq!(means.counts(), whole.counts());
    let mut spread = Spread::new(&means);
    spread
        .add(&means, x32.slice(first), &labels[..cut])
        .unwrap();
    let mut later = Spread::new(&means);
    later
        .add(&means, x32.slice(second), &labels[cut..])
        .unwrap();
    spread.merge(&means, &later).unwrap();
    let merged = spread.within(&means).unwrap();
    assert!(close(merged.ratio.unwrap(), within.ratio.unwrap(), 1e-10));
    assert!(close(merged.trace, within.trace, 1e-12));
}

/// Both decisions sample by sample, distances taken feature by feature.
fn plain_decisions(
    x: &Array2<f64>,
    (weights, bias): (&Array2<f64>, &Array1<f64>),
    means: &Means,
    unseen: bool,
) -> Vec<(usize, usize)> {
    let best = |scores: Vec<f64>| {
        let first = (0, f64::NEG_INFINITY);
        scores
            .iter()
            .enumerate()
            .fold(first, |b, (i, s)| if *s > b.1 { (i, *s) } else { b })
            .0
    };
    let rows = x.rows().into_iter();
    rows.map(|h| {
        let linear = (weights.dot(&h) + bias).to_vec();
        let near = (0..means.n_classes())
            .map(|c| match means.counts()[c] {
                0 if !unseen => f64::NEG_INFINITY,
                _ => -h
                    .iter()
                    .zip(means.mean(c))
                    .map(|(a, b)| (a - b).powi(2))
                    .sum::<f64>(),
            })
            .collect();
        (best(linear), best(near))
    })
    .collect()
}

#[test]
fn decisions_equal_the_plain_version_with_and_without_unseen_classes() {
    // More classes than a tile holds; every seventh was never seen.
    let (k, d) = (600, 6);
    let sizes: Vec<usize> = (0..k)
        .map(|c| usize::from(c % 7 != 0) * (1 + c % 3))
        .collect();
    let (x, labels) = around(&draws(k, d, 1), &sizes, 0.3, 2);
    let mut sums = Sums::new(k, d).unwrap();
    sums.add(x.view(), &labels).unwrap();
    let means = sums.means();
    let (test, test_labels) = around(&(draws(k, d, 1) * 0.5), &vec![1; k], 0.3, 9);
    let weights = draws(k, d, 1) + draws(k, d, 8) * 0.2;
    let bias: Array1<f64> = weights
        .rows()
        .into_iter()
        .map(|w| -w.dot(&w) / 2.0)
        .collect();
    let classifier = Classifier::new(weights.view(), Some(bias.view())).unwrap();
    let mut decisions = Decisions::new(&means);
    let mut in_two = Decisions::new(&means);
    decisions
        .add((&means, &classifier), test.view(), &test_labels)
        .unwrap();
    let (first, second) = (s![..201, ..], s![201.., ..]);
    in_two
        .add(
            (&means, &classifier),
            test.slice(first),
            &test_labels[..201],
        )
        .unwrap();
    let mut rest = Decisions::new(&means);
    rest.add(
        (&means, &classifier),
        test.slice(second),
        &test_labels[201..],
    )
    .unwrap();
    in_two.merge(&means, &rest).unwrap();
    assert_eq!(decisions, in_two);
    let found = decisions.agreement(&means).unwrap();
    let count = |unseen| {
        let each = plain_decisions(&test, (&weights, &bias), &means, unseen);
        each.iter().filter(|(a, b)| a == b).count()
    };
    assert_eq!(found.hits as usize, count(false));
    assert!(close(
        found.with_unseen,
        count(true) as f64 / k as f64,
        1e-15
    ));
    assert!(
        found.hits > 60 && found.with_unseen != found.agreement,
        "{found:?}"
    );
    assert_eq!(found.n_unseen as usize, k.div_ceil(7));
    let by_class: u64 = decisions.by_class().map(|(_, hits)| hits).sum();
    assert_eq!(by_class, found.hits);
}

#[test]
fn a_bias_decides_where_weights_do_not() {
    let (x, labels) = around(&draws(3, 4, 1), &[5; 3], 0.1, 2);
    let mut sums = Sums::new(3, 4).unwrap();
    sums.add(x.view(), &labels).unwrap();
    let means = sums.means();
    let bias = ndarray::arr1(&[0.0, 1.0, 0.0]);
    let classifier = Classifier::new(Array2::zeros((3, 4)).view(), Some(bias.view())).unwrap();
    let mut decisions = Decisions::new(&means);
    decisions
        .add((&means, &classifier), x.view(), &labels)
        .unwrap();
    let found = decisions.agreement(&means).unwrap();
    assert!(close(found.agreement, 1.0 / 3.0, 1e-12) && found.nearest_accuracy == 1.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Neither the order of samples nor that of classes nor that of features matters, nor a shift; scaling leaves all but nothing.
    #[test]
    fn measures_do_not_depend_on_order_shift_or_scale(seed in 0u64..1000, shift in -5.0f64..5.0, scale in 0.1f64..10.0) {
        let (k, d) = (4, 5);
        let (x, labels) = around(&(draws(k, d, seed) * 2.0), &[6, 5, 9, 4], 0.7, seed + 1);
        let one = Collapse::of(x.view(), &labels, k, None).unwrap();
        let n = labels.len();
        let order: Vec<usize> = (0..n).map(|i| (i * 7 + seed as usize) % n).collect();
        let moved = x.select(Axis(0), &order).mapv(|v| v * scale + shift);
        let moved = moved.select(Axis(1), &[3, 1, 4, 0, 2]);
        let relabelled: Vec<usize> = order.iter().map(|&i| (labels[i] + 1) % k).collect();
        let other = Collapse::of(moved.view(), &relabelled, k, None).unwrap();
        for (a, b) in [(one.ratio, other.ratio), (one.quotient, other.quotient), (one.simplex, other.simplex)] {
            prop_assert!(close(a, b, 1e-9), "{} {}", a, b);
        }
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let (x, labels) = around(&draws(40, 20, 1), &[50; 40], 0.5, 2);
    let classifier = Classifier::new(draws(40, 20, 3).view(), None).unwrap();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| Collapse::of(x.view(), &labels, 40, Some(&classifier)).unwrap())
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn passes_go_on_after_they_were_kept() {
    let (x, labels) = around(&draws(4, 3, 1), &[6; 4], 0.5, 2);
    let mut sums = Sums::new(4, 3).unwrap();
    sums.add(x.slice(s![..10, ..]), &labels[..10]).unwrap();
    let kept = format!("{sums:?}");
    let mut back = sums.clone();
    assert_eq!(format!("{back:?}"), kept);
    back.add(x.slice(s![10.., ..]), &labels[10..]).unwrap();
    sums.add(x.slice(s![10.., ..]), &labels[10..]).unwrap();
    assert_eq!(back.means().digest(), sums.means().digest());
}
