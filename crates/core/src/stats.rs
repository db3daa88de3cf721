//! Small numerics on slices. All in `f64`; none allocates more than its output and one scratch vector.

/// Arithmetic mean; NaN for an empty slice.
#[must_use]
pub fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// Standard deviation with `ddof` degrees of freedom removed (0: population, 1: sample); NaN where `x.len() <= ddof`.
#[must_use]
pub fn sd(x: &[f64], ddof: usize) -> f64 {
    if x.len() <= ddof {
        return f64::NAN;
    }
    let m = mean(x);
    (x.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (x.len() - ddof) as f64).sqrt()
}

/// The larger of two numbers; NaN if one of them is, where `f64::max` would pass it by. To be folded over errors.
///
/// ```
/// use chiasm_core::stats::greater;
/// assert_eq!([0.5, 2.0, 1.0].into_iter().fold(0.0, greater), 2.0);
/// assert!([0.5, f64::NAN, 1.0].into_iter().fold(0.0, greater).is_nan());
/// ```
#[must_use]
pub fn greater(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

/// Median; NaN for an empty slice. NaN values sort last.
#[must_use]
pub fn median(x: &[f64]) -> f64 {
    quantile(x, 0.5)
}

/// Linearly interpolated quantile at position `(n - 1) q`, numpy's default; NaN for an empty slice.
#[must_use]
pub fn quantile(x: &[f64], q: f64) -> f64 {
    let mut sorted = x.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile_sorted(&sorted, q)
}

/// [`quantile`] of a slice already in ascending order.
#[must_use]
pub fn quantile_sorted(sorted: &[f64], q: f64) -> f64 {
    if sorted.is_empty() {
        return f64::NAN;
    }
    let position = (sorted.len() - 1) as f64 * q.clamp(0.0, 1.0);
    let low = position.floor() as usize;
    let fraction = position - low as f64;
    match sorted.get(low + 1) {
        Some(&high) if fraction > 0.0 => sorted[low] + fraction * (high - sorted[low]),
        _ => sorted[low],
    }
}

/// Ranks from 1 to n; ties share their mean rank.
#[must_use]
pub fn average_ranks(x: &[f64]) -> Vec<f64> {
    let keys = in_order(x);
    let mut ranks = vec![0.0; x.len()];
    let mut start = 0;
    while start < keys.len() {
        let key = keys[start];
        let mut end = start + 1;
        // Values can be equal only where places are.
        while end < keys.len()
            && place_of(keys[end]) == place_of(key)
            && x[position_of(keys[end])] == x[position_of(key)]
        {
            end += 1;
        }
        let rank = (start + 1 + end) as f64 / 2.0;
        for &key in &keys[start..end] {
            ranks[position_of(key)] = rank;
        }
        start = end;
    }
    ranks
}

/// The positions of `x` from its smallest value to its largest (`f64::total_cmp`); of equals, the first comes first.
#[must_use]
pub fn ascending(x: &[f64]) -> Vec<usize> {
    in_order(x).into_iter().map(position_of).collect()
}

/// Bits of a key that hold a position; those above hold its value's place.
const POSITION_BITS: u32 = 42;
/// A place has two digits of this many bits.
const DIGIT_BITS: u32 = 11;

fn position_of(key: u64) -> usize {
    (key & ((1 << POSITION_BITS) - 1)) as usize
}

fn place_of(key: u64) -> u64 {
    key >> POSITION_BITS
}

/// Positions as [`ascending`] orders them, each below the place of its value: a whole number that never falls where the
/// value rises. Sorting places digit by digit takes a time that grows with the number of values alone, and without a
/// comparison; only the few values that share a place are compared.
fn in_order(x: &[f64]) -> Vec<u64> {
    let mut keys = by_place(x).unwrap_or_else(|| (0..x.len() as u64).collect());
    for run in keys.chunk_by_mut(|&a, &b| place_of(a) == place_of(b)) {
        if run.len() > 1 {
            run.sort_by(|&a, &b| x[position_of(a)].total_cmp(&x[position_of(b)]));
        }
    }
    keys
}

/// Keys sorted by place, where it is worth it and all values are finite.
fn by_place(x: &[f64]) -> Option<Vec<u64>> {
    const WORTH_IT: usize = 512;
    const N_DIGITS: usize = 1 << DIGIT_BITS;
    // Without a way out in the middle, so that the compiler can use vector instructions.
    let finite = x.iter().fold(true, |all, v| all & v.is_finite());
    if x.len() < WORTH_IT || u32::try_from(x.len()).is_err() || !finite {
        return None;
    }
    // Four at a time, since each comparison must wait for the one before.
    let (mut low, mut high) = ([x[0]; 4], [x[0]; 4]);
    let fours = x.chunks_exact(4);
    let rest = fours.remainder();
    for four in fours {
        for k in 0..4 {
            low[k] = if four[k] < low[k] { four[k] } else { low[k] };
            high[k] = if four[k] > high[k] { four[k] } else { high[k] };
        }
    }
    let low = low.iter().chain(rest).copied().fold(x[0], f64::min);
    let high = high.iter().chain(rest).copied().fold(x[0], f64::max);
    let n_places = (1u64 << (2 * DIGIT_BITS)) - 2;
    let scale = n_places as f64 / (high - low);
    // 0 if the range is infinite; infinite if it is 0 or next to nothing.
    if !(scale > 0.0 && scale.is_finite()) {
        return None;
    }
    // Added to this, a number of up to 51 bits is rounded to a whole number, which the low bits then hold. Rounding keeps
    // the order of differences from one number, of products with one and of sums with one.
    const WHOLE: f64 = (1u64 << 52) as f64;
    let key = |(i, &v): (usize, &f64)| {
        (((v - low) * scale + WHOLE).to_bits() << POSITION_BITS) | i as u64
    };
    let mut keys: Vec<u64> = x.iter().enumerate().map(key).collect();
    let digit = |key: u64, d: u32| (key >> (POSITION_BITS + d * DIGIT_BITS)) as usize % N_DIGITS;
    let mut starts = [[0u32; N_DIGITS]; 2];
    for &key in &keys {
        starts[0][digit(key, 0)] += 1;
        starts[1][digit(key, 1)] += 1;
    }
    let mut sorted = vec![0; keys.len()];
    for (d, starts) in starts.iter_mut().enumerate() {
        let mut before = 0;
        for start in starts.iter_mut() {
            before += std::mem::replace(start, before);
        }
        for &key in &keys {
            let start = &mut starts[digit(key, d as u32)];
            sorted[*start as usize] = key;
            *start += 1;
        }
        std::mem::swap(&mut keys, &mut sorted);
    }
    Some(keys)
}

/// Pearson correlation of two slices of one length; NaN where either is constant or they hold fewer than two values.
#[must_use]
pub fn pearson(x: &[f64], y: &[f64]) -> f64 {
    debug_assert_eq!(x.len(), y.len());
    let (mx, my) = (mean(x), mean(y));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        xy += (a - mx) * (b - my);
        xx += (a - mx) * (a - mx);
        yy += (b - my) * (b - my);
    }
    if xx > 0.0 && yy > 0.0 {
        xy / (xx * yy).sqrt()
    } else {
        f64::NAN
    }
}

/// Spearman correlation: Pearson of average ranks.
#[must_use]
pub fn spearman(x: &[f64], y: &[f64]) -> f64 {
    pearson(&average_ranks(x), &average_ranks(y))
}

/// Area under the receiver operating characteristic: the probability that a value marked `true` exceeds one marked
/// `false`, ties counting half; NaN where either kind is absent.
#[must_use]
pub fn roc_auc(scores: &[f64], positive: &[bool]) -> f64 {
    debug_assert_eq!(scores.len(), positive.len());
    let n_positive = positive.iter().filter(|p| **p).count() as f64;
    let n_negative = positive.len() as f64 - n_positive;
    let ranks = average_ranks(scores);
    let sum: f64 = ranks
        .iter()
        .zip(positive)
        .filter(|(_, p)| **p)
        .map(|(r, _)| r)
        .sum();
    (sum - n_positive * (n_positive + 1.0) / 2.0) / (n_positive * n_negative)
}

/// Gaussian smoothing with standard deviation `sigma` in samples, cut at four sigma. At the ends the kernel is
/// renormalised over the samples that exist, so that a constant stays constant. `sigma <= 0` copies.
#[must_use]
pub fn gaussian_smooth(x: &[f64], sigma: f64) -> Vec<f64> {
    if sigma <= 0.0 || x.is_empty() {
        return x.to_vec();
    }
    let radius = (4.0 * sigma).ceil() as usize;
    let kernel: Vec<f64> = (0..=radius)
        .map(|k| (-0.5 * (k as f64 / sigma).powi(2)).exp())
        .collect();
    (0..x.len())
        .map(|i| {
            let (from, to) = (i.saturating_sub(radius), (i + radius).min(x.len() - 1));
            let (mut sum, mut weight) = (0.0, 0.0);
            for (j, v) in x.iter().enumerate().take(to + 1).skip(from) {
                let k = kernel[i.abs_diff(j)];
                sum += k * v;
                weight += k;
            }
            sum / weight
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn closed_forms() {
        assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 0.5), 2.5);
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.2), 1.8);
        assert_eq!(
            average_ranks(&[10.0, 20.0, 10.0, 30.0]),
            [1.5, 3.0, 1.5, 4.0]
        );
        assert!((sd(&[1.0, 2.0, 3.0, 4.0], 1) - (5.0f64 / 3.0).sqrt()).abs() < 1e-15);
        assert!(pearson(&[1.0, 1.0], &[1.0, 2.0]).is_nan());
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[1.0, 10.0, 100.0]), 1.0);
        let auc = roc_auc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]);
        assert_eq!(auc, 0.75);
        assert!(roc_auc(&[1.0, 2.0], &[true, true]).is_nan());
        assert!(mean(&[]).is_nan() && median(&[]).is_nan());
    }

    proptest! {
        #[test]
        fn smoothing_keeps_constants_and_stays_in_range(x in prop::collection::vec(-1e3f64..1e3, 1..60), sigma in 0.0f64..20.0) {
            let y = gaussian_smooth(&x, sigma);
            let (low, high) = (x.iter().copied().fold(f64::MAX, f64::min), x.iter().copied().fold(f64::MIN, f64::max));
            prop_assert!(y.iter().all(|v| *v >= low - 1e-9 && *v <= high + 1e-9));
            prop_assert!(gaussian_smooth(&vec![3.5; x.len()], sigma).iter().all(|v| (v - 3.5).abs() < 1e-12));
        }

        #[test]
        fn ranks_sum_to_the_triangle_number(x in prop::collection::vec(-5i32..5, 0..50)) {
            let x: Vec<f64> = x.into_iter().map(f64::from).collect();
            let n = x.len() as f64;
            prop_assert_eq!(average_ranks(&x).iter().sum::<f64>(), n * (n + 1.0) / 2.0);
        }

        #[test]
        fn sorting_by_places_equals_sorting_values(
            x in prop::collection::vec(prop_oneof![
                8 => -5.0f64..5.0,
                4 => (-4i32..4).prop_map(f64::from),
                2 => (0u64..40).prop_map(|k| 1.0 + k as f64 * f64::EPSILON),
                1 => prop::num::f64::ANY,
            ], 0..900),
            finite in any::<bool>(),
            far in prop::option::of(-1e300f64..1e300),
        ) {
            let x = x.into_iter().filter(|v| !finite || v.abs() < 10.0);
            // One far value leaves one place to all others.
            let x: Vec<f64> = x.chain(far).collect();
            let mut plain: Vec<usize> = (0..x.len()).collect();
            plain.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
            prop_assert_eq!(ascending(&x), plain);
            let ranks = average_ranks(&x);
            for (i, &v) in x.iter().enumerate().filter(|(_, v)| !v.is_nan()) {
                // NaN stands below or above all others, by its sign.
                let below = x.iter().filter(|&&w| w < v || (w.is_nan() && w.is_sign_negative())).count();
                let equal = x.iter().filter(|&&w| w == v).count();
                prop_assert_eq!(ranks[i], below as f64 + (equal as f64 + 1.0) / 2.0);
            }
        }
    }
}
