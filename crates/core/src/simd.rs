//! Loops compiled for the vector registers at hand.

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
