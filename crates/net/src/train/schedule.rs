//! Learning rates that change as training goes on.

use std::f64::consts::PI;

/// The rate of step `step` of `steps` on half a cosine from `rate` down to 0.
#[must_use]
pub fn cosine(rate: f64, step: usize, steps: usize) -> f64 {
    let done = step as f64 / steps.max(1) as f64;
    rate * 0.5 * (1.0 + (PI * done).cos())
}

/// Rate and first decay of Adam in epoch `epoch` of `epochs` of one cycle, as PyTorch's `OneCycleLR` at its defaults: for 3
/// tenths of the epochs the rate rises from a 25th of the peak, then falls to a 10,000th of that, each on half a cosine; the
/// decay falls from 0.95 to 0.85 and rises again.
#[must_use]
pub fn one_cycle(peak: f64, epoch: usize, epochs: usize) -> (f64, f64) {
    let (start, end) = (peak / 25.0, peak / 25.0 / 1e4);
    let last = epochs as f64 - 1.0;
    let top = 0.3 * epochs as f64 - 1.0;
    let now = epoch as f64;
    let between = |from: f64, to: f64, done: f64| {
        to + (from - to) * 0.5 * (1.0 + (PI * done.clamp(0.0, 1.0)).cos())
    };
    if now <= top && top > 0.0 {
        let done = now / top;
        return (between(start, peak, done), between(0.95, 0.85, done));
    }
    let done = if last > top {
        (now - top) / (last - top)
    } else {
        1.0
    };
    (between(peak, end, done), between(0.85, 0.95, done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_goes_from_the_rate_to_nothing() {
        assert_eq!(cosine(0.4, 0, 10), 0.4);
        assert!((cosine(0.4, 5, 10) - 0.2).abs() < 1e-12);
        assert!(cosine(0.4, 10, 10).abs() < 1e-12);
    }
}
