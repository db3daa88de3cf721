//! Eight numbers at a time.

/// Numbers at once.
pub(super) const LANES: usize = 8;
/// That many.
pub(super) type Lanes = [f64; LANES];

/// a + b c, rounded once.
#[inline(always)]
pub(super) fn plus_product(a: Lanes, b: Lanes, c: Lanes) -> Lanes {
    std::array::from_fn(|l| b[l].mul_add(c[l], a[l]))
}

/// a - b c, rounded once.
#[inline(always)]
pub(super) fn less_product(a: Lanes, b: Lanes, c: Lanes) -> Lanes {
    std::array::from_fn(|l| (-b[l]).mul_add(c[l], a[l]))
}

/// The sum of all.
#[inline(always)]
pub(super) fn total(x: Lanes) -> f64 {
    ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]))
}

/// The sum of products.
#[inline(always)]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            sums[l] = a[l].mul_add(b[l], sums[l]);
        }
    }
    for ((a, b), sum) in rest_a.iter().zip(rest_b).zip(&mut sums) {
        *sum = a.mul_add(*b, *sum);
    }
    total(sums)
}
