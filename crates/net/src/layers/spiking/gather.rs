//! Sums of the active rows of a panel, held in registers.

/// Columns worked on at once: eight registers of eight numbers.
pub(super) const COLUMNS: usize = 64;

/// A row of a panel.
pub(super) type Piece = [f32; COLUMNS];

/// `sums[k] += rows[i]` for all `i` in `active[from[k]..to[k]]`, in their order.
pub(super) struct Gather<'a> {
    pub(super) rows: &'a [Piece],
    pub(super) active: &'a [u32],
    pub(super) from: &'a [usize],
    pub(super) to: &'a [usize],
    pub(super) sums: &'a mut [Piece],
}

impl Gather<'_> {
    pub(super) fn run(self) {
        pulp::Arch::new().dispatch(self);
    }

    /// With `N` registers at once.
    #[inline(always)]
    fn with_registers<S: pulp::Simd, const N: usize>(self, simd: S) {
        for ((sum, from), to) in self.sums.iter_mut().zip(self.from).zip(self.to) {
            let active = &self.active[*from..*to];
            if active.is_empty() {
                continue;
            }
            let (sum, _) = S::as_mut_simd_f32s(sum);
            for (group, sum) in sum.chunks_exact_mut(N).enumerate() {
                let mut held = [simd.splat_f32s(0.0); N];
                held.copy_from_slice(sum);
                for i in active {
                    let (row, _) = S::as_simd_f32s(&self.rows[*i as usize]);
                    let row = &row[group * N..][..N];
                    for k in 0..N {
                        held[k] = simd.add_f32s(held[k], row[k]);
                    }
                }
                sum.copy_from_slice(&held);
            }
        }
    }
}

impl pulp::WithSimd for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) {
        // Known when compiled: as many registers as a row fills, but no more than eight, to leave some for addresses.
        match S::F32_LANES {
            16 => self.with_registers::<S, 4>(simd),
            _ => self.with_registers::<S, 8>(simd),
        }
    }
}
