//! Loops compiled for the vector registers at hand.

use std::ops::AddAssign;

/// Runs a task compiled for the vector registers at hand. Called with a closure marked `inline(always)`, whose body then
/// becomes part of that compilation: the bound tells the compiler to make it callable once, without a shim that would
/// stand outside.
///
/// ```
/// let x = [1.0f32; 100];
/// let sum: f32 = chiasm_core::vectorized(
///     #[inline(always)]
///     || x.iter().sum(),
/// );
/// assert_eq!(sum, 100.0);
/// ```
#[inline(always)]
pub fn vectorized<R>(task: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(task)
}

/// Numbers that [`summed`] adds side by side.
const LANES: usize = 16;

/// The sum of what `of` makes of each number, in sums side by side that fit vector registers (one sum would wait for every
/// number), then of these in order, then of what is left over: the same bits wherever it is compiled. To be called within
/// [`vectorized`].
///
/// ```
/// use chiasm_core::{summed, vectorized};
/// let x: Vec<f32> = (1..=100).map(|v| v as f32).collect();
/// let sum: f32 = vectorized(
///     #[inline(always)]
///     || summed(&x, |v| v),
/// );
/// assert_eq!(sum, 5050.0);
/// ```
#[inline(always)]
pub fn summed<T: Copy, S: Copy + Default + AddAssign>(x: &[T], of: impl Fn(T) -> S) -> S {
    let (whole, rest) = x.as_chunks::<LANES>();
    let mut lanes = [S::default(); LANES];
    for chunk in whole {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane += of(*v);
        }
    }
    let mut sum = S::default();
    for lane in lanes {
        sum += lane;
    }
    for v in rest {
        sum += of(*v);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_side_by_side_are_the_sum_whatever_the_length() {
        for n in 0..70_i32 {
            let x: Vec<i32> = (0..n).map(|v| v * v - 40).collect();
            let expected: i64 = x.iter().map(|v| 2 * i64::from(*v)).sum();
            assert_eq!(summed(&x, |v| 2 * i64::from(v)), expected, "{n}");
        }
    }

    #[test]
    fn a_number_that_is_none_is_not_lost() {
        for hole in 0..40 {
            let mut x = [1.0; 40];
            x[hole] = f64::NAN;
            assert!(summed(&x, |v| 0.0 * v).is_nan(), "{hole}");
        }
    }
}
