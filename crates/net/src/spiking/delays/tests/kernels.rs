use super::super::Recovery;
use super::super::kernel::{Bump, Kernels, delay, rounded_delay, slopes, taps};
use crate::train::one_cycle;
use chiasm_core::Streams;

const LENGTH: usize = 25;

fn gauss(sigma: f64) -> Bump {
    Bump::Gauss { sigma }
}

/// The taps above 1e-4, largest first.
fn largest(position: f64, bump: Bump) -> Vec<f64> {
    let mut found = taps(1.0, position, LENGTH, bump);
    found.retain(|t| *t > 1e-4);
    found.sort_by(|a, b| b.total_cmp(a));
    found
}

#[test]
fn taps_have_the_values_of_the_published_code() {
    let close = |found: Vec<f64>, expected: &[f64], within: f64| {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() <= within, "{found:?}");
        }
    };
    let narrow = gauss(0.23);
    close(
        largest(0.0, narrow),
        &[0.7866, 0.1065, 0.1065, 0.0003, 0.0003],
        5e-5,
    );
    close(largest(0.5, narrow), &[0.491, 0.491, 0.009, 0.009], 5e-4);
    close(largest(0.0, gauss(0.0)), &[0.9979, 0.0010, 0.0010], 5e-5);
    close(largest(3.25, Bump::Triangle), &[0.75, 0.25], 1e-6);
    close(largest(3.25, Bump::Rounded), &[1.0], 0.0);
    for position in [-12.0, -3.3, 0.0, 0.5, 7.9, 12.0] {
        for bump in [gauss(12.0), gauss(1.5), narrow, gauss(0.0), Bump::Triangle] {
            let sum: f64 = taps(1.7, position, LENGTH, bump).iter().sum();
            assert!((sum - 1.7).abs() < 1e-6, "{position} {bump:?}: {sum}");
        }
    }
}

#[test]
fn a_large_position_is_a_short_delay() {
    assert_eq!(delay(12.0, LENGTH), 0.0);
    assert_eq!(delay(-12.0, LENGTH), 24.0);
    assert_eq!(taps(2.0, 12.0, LENGTH, Bump::Rounded)[0], 2.0);
    let early = taps(1.0, 3.25, LENGTH, Bump::Triangle);
    assert!((early[9] - 0.75).abs() < 1e-6 && (early[8] - 0.25).abs() < 1e-6);
    // Halves to even positions, as PyTorch rounds; and within the kernel.
    assert_eq!(
        [0.5, 1.5, -0.5].map(|p| rounded_delay(p, LENGTH)),
        [12, 10, 12]
    );
    assert_eq!([99.0, -99.0].map(|p| rounded_delay(p, LENGTH)), [0, 24]);
}

#[test]
fn slopes_are_those_of_finite_differences() {
    let h = 1e-5;
    for sigma in [12.0, 3.0, 0.23, 0.0] {
        for position in [-11.7, -4.0, 0.0, 0.3, 6.5, 12.0] {
            let at = |p: f64| taps(1.3, p, LENGTH, gauss(sigma));
            let (_, by_position) = slopes(1.3, position, LENGTH, gauss(sigma));
            let (low, high) = (at(position - h), at(position + h));
            let scale = by_position.iter().fold(0.0, |m: f64, s| m.max(s.abs()));
            for d in 0..LENGTH {
                let difference = (high[d] - low[d]) / (2.0 * h);
                let off = (by_position[d] - difference).abs();
                assert!(
                    off <= 1e-4 * scale.max(1e-9),
                    "{sigma} {position} {d}: {off}"
                );
                // And each by itself, where it is not lost in rounding.
                if by_position[d].abs() > 1e-4 {
                    assert!(off <= 1e-4 * by_position[d].abs(), "{sigma} {position} {d}");
                }
            }
        }
    }
}

#[test]
fn windows_hold_all_taps_that_count() {
    let positions: Vec<f32> = (0..50).map(|i| -12.0 + i as f32 * 0.49).collect();
    let weights = vec![1.0f32; 50];
    for sigma in [12.0, 4.0, 1.0, 0.23] {
        let kernels = Kernels::new(&weights, &positions, (5, 10), LENGTH, gauss(sigma));
        assert!(sigma > 1.0 || kernels.shape.width < 16);
        for (s, position) in positions.iter().enumerate() {
            let exact = taps(1.0, f64::from(*position), LENGTH, gauss(sigma));
            for (d, exact) in exact.iter().enumerate() {
                let found = kernels.dense[(s / 10 * LENGTH + d) * 10 + s % 10];
                assert!(
                    (f64::from(found) - exact).abs() < 1e-6,
                    "{sigma} {position} {d}"
                );
            }
        }
    }
}

#[test]
fn positions_find_known_delays_if_the_width_shrinks() {
    let exact = |r: &Recovery| r.run(&Streams::new(5)).unwrap();
    let found = exact(&Recovery::default());
    assert_eq!(found.exact, 1.0);
    assert!(found.loss[399] < 0.1 && found.loss[0] > 0.8);
    let constant = Recovery {
        sigma_start: 0.23,
        ..Recovery::default()
    };
    assert!(exact(&constant).exact < 0.4);
    let even = Recovery {
        length: 24,
        ..Recovery::default()
    };
    assert_eq!(even.run(&Streams::new(5)).unwrap_err().field, "length");
}

/// PyTorch 2.15, `OneCycleLR(Adam, max_lr=5e-3, total_steps=10)`: rate and first decay of epochs 0 to 9.
#[test]
fn one_cycle_is_that_of_pytorch() {
    let expected = [
        (2.000000000e-4, 0.95),
        (2.600000000e-3, 0.9),
        (5.000000000e-3, 0.85),
        (4.752423160e-3, 0.854951556604879),
        (4.058728270e-3, 0.8688255099070633),
        (3.056310110e-3, 0.8888739533021842),
        (1.943709890e-3, 0.9111260466978157),
        (9.412917303e-4, 0.9311744900929366),
        (2.475968399e-4, 0.945048443395121),
        (2.000000000e-8, 0.95),
    ];
    for (epoch, (rate, decay)) in expected.into_iter().enumerate() {
        let found = one_cycle(5e-3, epoch, 10);
        assert!(
            (found.0 - rate).abs() < 1e-12 && (found.1 - decay).abs() < 1e-12,
            "{epoch}: {found:?}"
        );
    }
}
