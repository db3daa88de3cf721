//! Collapse that is planted: class means with scatter around them, and passes over it in every order.

use chiasm_analysis::collapse::{
    Agreement, Classifier, Decisions, Means, PairMeasures, Pairs, Spread, Sums, Within,
    simplex_error,
};
use chiasm_core::{Failure, Inside, Rng, Streams};
use chiasm_lab::Bench;
use ndarray::{Array2, ArrayView2, Axis, s};
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::config::Config;

/// What was measured at one scatter.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Point {
    pub(super) scatter: f64,
    /// With the squared distance, and the value that it is to have.
    pub(super) cdnv: f64,
    pub(super) expected: f64,
    /// With its square.
    pub(super) cdnv_squared: f64,
    pub(super) agreement: f64,
    pub(super) simplex: f64,
    /// With labels shuffled.
    pub(super) shuffled_cdnv: f64,
    pub(super) shuffled_agreement: f64,
}

fn normal(shape: (usize, usize), rng: &mut Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn(shape, || StandardNormal.sample(rng))
}

struct Measured {
    pairs: PairMeasures,
    squared: PairMeasures,
    simplex: f64,
    agreement: Agreement,
}

/// One pass each over all samples.
fn measure(
    x: &Array2<f64>,
    labels: &[usize],
    classifier: &Classifier,
    bench: &Bench,
) -> Result<Measured, Failure> {
    let k = classifier.weights().nrows();
    let (means, within) = passes(&[(x.view(), labels)], k)?;
    let mut decisions = Decisions::new(&means);
    decisions.add((&means, classifier), x.view(), labels)?;
    let (centered, _) = means.centered(&means.seen(1))?;
    let pairs = |power| {
        let how = Pairs {
            power,
            ..Pairs::default()
        };
        how.measure(centered.view(), &within.variances, &Inside(bench.watch()))
    };
    Ok(Measured {
        pairs: pairs(1.0)?,
        squared: pairs(2.0)?,
        simplex: simplex_error(centered.view())?,
        agreement: decisions.agreement(&means)?,
    })
}

/// The first two passes over batches.
fn passes(
    batches: &[(ArrayView2<'_, f64>, &[usize])],
    n_classes: usize,
) -> Result<(Means, Within), Failure> {
    let width = batches.first().map_or(0, |(x, _)| x.ncols());
    let mut sums = Sums::new(n_classes, width)?;
    for (x, labels) in batches {
        sums.add(*x, labels)?;
    }
    let means = sums.means();
    let mut spread = Spread::new(&means);
    for (x, labels) in batches {
        spread.add(&means, *x, labels)?;
    }
    let within = spread.within(&means)?;
    Ok((means, within))
}

/// Classes at the unit vectors, at every scatter; with labels shuffled beside it.
pub(super) fn sweep(config: &Config, bench: &Bench) -> Result<Vec<Point>, Failure> {
    let (k, d, n) = (config.classes, config.features, config.per_class);
    let streams = bench.streams().child("planted");
    let labels: Vec<usize> = (0..k * n).map(|i| i % k).collect();
    let draws = normal((k * n, d), &mut streams.stream("scatter"));
    let mut shuffled = labels.clone();
    shuffled.shuffle(&mut streams.stream("labels"));
    let mut weights = Array2::<f64>::zeros((k, d));
    (0..k).for_each(|i| weights[[i, i]] = 1.0);
    let classifier = Classifier::new(weights.view(), None)?;
    // The unit vectors lie sqrt(2) apart.
    let distance = 2f64.sqrt();
    let each = config.scatter.iter().map(|&scatter| {
        bench.watch().check()?;
        let mut x = &draws * (scatter * distance);
        for (mut row, &label) in x.rows_mut().into_iter().zip(&labels) {
            row[label] += 1.0;
        }
        let own = measure(&x, &labels, &classifier, bench)?;
        let control = measure(&x, &shuffled, &classifier, bench)?;
        Ok(Point {
            scatter,
            cdnv: own.pairs.cdnv,
            expected: scatter * scatter * d as f64,
            cdnv_squared: own.squared.cdnv,
            agreement: own.agreement.agreement,
            simplex: own.simplex,
            shuffled_cdnv: control.pairs.cdnv,
            shuffled_agreement: control.agreement.agreement,
        })
    });
    each.collect()
}

/// Unbalanced classes, some of them empty: the largest relative difference of means, variances and measures over pairs between
/// the plain version and passes in batches, shards, another order of samples, and tiles of several sizes; and by how many samples
/// decisions differ.
pub(super) fn streaming(config: &Config, bench: &Bench) -> Result<(f64, f64), Failure> {
    let (k, d) = (config.stream_classes, 12);
    let streams: Streams = bench.streams().child("streaming");
    let centers = normal((k, d), &mut streams.stream("means"));
    // As Zipf's law has it; every seventh class is never seen.
    let counts: Vec<usize> = (0..k)
        .map(|c| if c % 7 == 6 { 0 } else { 1 + 300 / (c + 1) })
        .collect();
    let mut labels: Vec<usize> = (0..k)
        .flat_map(|c| std::iter::repeat_n(c, counts[c]))
        .collect();
    labels.shuffle(&mut streams.stream("order"));
    let mut x = normal((labels.len(), d), &mut streams.stream("scatter")) * 0.3;
    for (mut row, &label) in x.rows_mut().into_iter().zip(&labels) {
        row += &centers.row(label);
    }
    let plain = Plain::of(&x, &labels, k);
    let cut = |sizes: &[usize]| {
        let (mut at, mut batches) = (0, vec![]);
        for size in sizes.iter().cycle() {
            if at == labels.len() {
                break;
            }
            let to = (at + size).min(labels.len());
            batches.push((x.slice(s![at..to, ..]), &labels[at..to]));
            at = to;
        }
        batches
    };
    let mut apart = 0.0f64;
    for sizes in [&[1usize][..], &[7, 64, 3], &[labels.len()]] {
        let (means, within) = passes(&cut(sizes), k)?;
        apart = apart.max(plain.apart(&means, &within, bench)?);
    }
    // Another order.
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.shuffle(&mut streams.stream("another order"));
    let moved = x.select(Axis(0), &order);
    let moved_labels: Vec<usize> = order.iter().map(|&i| labels[i]).collect();
    let (means, within) = passes(&[(moved.view(), &moved_labels)], k)?;
    apart = apart.max(plain.apart(&means, &within, bench)?);
    // Two shards.
    let half = labels.len() / 2;
    let (first, second) = (s![..half, ..], s![half.., ..]);
    let mut sums = Sums::new(k, d)?;
    sums.add(x.slice(first), &labels[..half])?;
    let mut other = Sums::new(k, d)?;
    other.add(x.slice(second), &labels[half..])?;
    sums.merge(&other)?;
    let means = sums.means();
    let mut spread = Spread::new(&means);
    spread.add(&means, x.slice(first), &labels[..half])?;
    let mut other = Spread::new(&means);
    other.add(&means, x.slice(second), &labels[half..])?;
    spread.merge(&means, &other)?;
    apart = apart.max(plain.apart(&means, &spread.within(&means)?, bench)?);
    let differ = plain.decisions(&x, &labels, &means, &centers)?;
    Ok((apart, differ))
}

/// Everything sample by sample and pair by pair.
struct Plain {
    means: Array2<f64>,
    variances: Vec<f64>,
    seen: Vec<usize>,
    cdnv: f64,
    log_kernel: (f64, f64),
}

impl Plain {
    fn of(x: &Array2<f64>, labels: &[usize], k: usize) -> Self {
        let mut means = Array2::<f64>::zeros((k, x.ncols()));
        let mut counts = vec![0.0; k];
        for (row, &label) in x.rows().into_iter().zip(labels) {
            let mut mean = means.row_mut(label);
            mean += &row;
            counts[label] += 1.0;
        }
        let seen: Vec<usize> = (0..k).filter(|&c| counts[c] > 0.0).collect();
        seen.iter()
            .for_each(|&c| means.row_mut(c).mapv_inplace(|v| v / counts[c]));
        let mut variances = vec![0.0; k];
        for (row, &label) in x.rows().into_iter().zip(labels) {
            let apart = &row - &means.row(label);
            variances[label] += apart.dot(&apart) / counts[label];
        }
        let own = means.select(Axis(0), &seen);
        let global = own.sum_axis(Axis(0)) / seen.len() as f64;
        let unit: Vec<_> = own
            .rows()
            .into_iter()
            .map(|m| {
                let m = &m - &global;
                let length = m.dot(&m).sqrt();
                m / length
            })
            .collect();
        let (mut cdnv, mut logs) = (vec![], vec![]);
        for i in 0..seen.len() {
            for j in i + 1..seen.len() {
                let apart = &own.row(i) - &own.row(j);
                let squared = apart.dot(&apart);
                let variance = (variances[seen[i]] + variances[seen[j]]) / 2.0;
                cdnv.push(variance / (squared * squared));
                let apart = &unit[i] - &unit[j];
                logs.push(-0.5 * apart.dot(&apart).ln());
            }
        }
        use chiasm_core::stats::{mean, sd};
        Self {
            means,
            variances,
            seen,
            cdnv: mean(&cdnv),
            log_kernel: (mean(&logs), sd(&logs, 0).powi(2)),
        }
    }

    fn apart(&self, means: &Means, within: &Within, bench: &Bench) -> Result<f64, Failure> {
        let scale = self.means.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let pairs = self.means.iter().zip(means.values());
        let mut most = pairs.fold(0.0f64, |m, (a, b)| m.max((a - b).abs() / scale));
        let relative = |a: f64, b: f64| (a - b).abs() / b.abs().max(f64::MIN_POSITIVE);
        // Classes of one sample have no variance; both are 0.
        for (a, b) in within.variances.iter().zip(&self.variances) {
            if *b > 1e-20 {
                most = most.max(relative(*a, *b));
            }
        }
        let (centered, _) = means.centered(&self.seen)?;
        let variances: Vec<f64> = self.seen.iter().map(|&c| within.variances[c]).collect();
        for tile in [1, 5, 32, self.seen.len()] {
            let how = Pairs {
                tile,
                ..Pairs::default()
            };
            let found = how.measure(centered.view(), &variances, &Inside(bench.watch()))?;
            most = most
                .max(relative(found.cdnv, self.cdnv))
                .max(relative(found.log_kernel.mean, self.log_kernel.0))
                .max(relative(found.log_kernel.variance, self.log_kernel.1));
        }
        Ok(most)
    }

    /// Samples by which agreements differ.
    fn decisions(
        &self,
        x: &Array2<f64>,
        labels: &[usize],
        means: &Means,
        weights: &Array2<f64>,
    ) -> Result<f64, Failure> {
        let classifier = Classifier::new(weights.view(), None)?;
        let mut decisions = Decisions::new(means);
        decisions.add((means, &classifier), x.view(), labels)?;
        let mut hits = 0u64;
        for row in x.rows() {
            let best = |score: &dyn Fn(usize) -> f64| {
                let first = (0, f64::NEG_INFINITY);
                let each = (0..means.n_classes()).map(|c| (c, score(c)));
                each.fold(first, |b, s| if s.1 > b.1 { s } else { b }).0
            };
            let linear = best(&|c| weights.row(c).dot(&row));
            let near = best(&|c| {
                if !self.seen.contains(&c) {
                    return f64::NEG_INFINITY;
                }
                let apart = &row - &self.means.row(c);
                -apart.dot(&apart)
            });
            hits += u64::from(linear == near);
        }
        Ok(hits.abs_diff(decisions.agreement(means)?.hits) as f64)
    }
}
