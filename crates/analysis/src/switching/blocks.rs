//! Counts and their history in the order in which the passes read them: bins side by side in blocks of L, so that one
//! vector instruction handles L bins of one unit; and the three loops over them that take the time.

use ndarray::ArrayView2;

use crate::number::Number;

/// Units handled at once.
pub(super) const TILE: usize = 4;
/// Blocks whose drives are summed at once.
const ABREAST: usize = 4;
/// Blocks handled together, so that what is made of them stays in the nearest cache.
pub(super) const GROUP: usize = 32;

/// Bins of one unit side by side.
pub(super) type Lanes<N, const L: usize> = [N; L];
/// Bins side by side of the units of a tile.
pub(super) type Tile<N, const L: usize> = [Lanes<N, L>; TILE];

/// Units are filled up to whole tiles and bins to whole blocks, with zeros.
pub(super) struct Blocks<N, const L: usize> {
    pub(super) n_blocks: usize,
    /// Tiles of units.
    pub(super) n_tiles: usize,
    /// Histories `[block][tile]`.
    history: Vec<Tile<N, L>>,
    /// Counts `[tile][block]`.
    counts: Vec<Tile<N, L>>,
}

impl<N: Number, const L: usize> Blocks<N, L> {
    /// Of counts and histories `[bin, unit]`.
    pub(super) fn of(x: ArrayView2<'_, f64>, history: ArrayView2<'_, f64>) -> Self {
        let mut blocks = Self::empty(x.nrows(), x.ncols().div_ceil(TILE));
        for (t, (x, history)) in x.rows().into_iter().zip(history.rows()).enumerate() {
            for (u, (&x, &history)) in x.iter().zip(history).enumerate() {
                let (b, tile) = (t / L, u / TILE);
                blocks.counts[tile * blocks.n_blocks + b][u % TILE][t % L] = N::of(x);
                blocks.history[b * blocks.n_tiles + tile][u % TILE][t % L] = N::of(history);
            }
        }
        blocks
    }

    fn empty(n_bins: usize, n_tiles: usize) -> Self {
        let n_blocks = n_bins.div_ceil(L);
        let zeros = || vec![[[N::default(); L]; TILE]; n_blocks * n_tiles];
        Self {
            n_blocks,
            n_tiles,
            history: zeros(),
            counts: zeros(),
        }
    }

    /// Some bins alone, side by side anew.
    pub(super) fn gathered(&self, bins: &[u32]) -> Self {
        let n_blocks = bins.len().div_ceil(L);
        let mut history = Vec::with_capacity(n_blocks * self.n_tiles);
        for bins in bins.chunks(L) {
            for tile in 0..self.n_tiles {
                history.push(taken(&self.history[tile..], self.n_tiles, bins));
            }
        }
        let mut counts = Vec::with_capacity(n_blocks * self.n_tiles);
        for tile in 0..self.n_tiles {
            let of = &self.counts[tile * self.n_blocks..];
            counts.extend(bins.chunks(L).map(|bins| taken(of, 1, bins)));
        }
        Self {
            n_blocks,
            n_tiles: self.n_tiles,
            history,
            counts,
        }
    }

    /// The histories become sums of others' (of the lags) times their weights.
    pub(super) fn mix_histories(&mut self, of: &[Self], weights: &[f64]) {
        let history = self.history.as_flattened_mut().as_flattened_mut();
        history.fill(N::default());
        for (of, &weight) in of.iter().zip(weights) {
            let weight = N::of(weight);
            let of = of.history.as_flattened().as_flattened();
            for (to, &x) in history.iter_mut().zip(of) {
                *to = weight.times_plus(x, *to);
            }
        }
    }

    /// Histories of a tile's units in a block.
    #[inline(always)]
    pub(super) fn history(&self, block: usize, tile: usize) -> Tile<N, L> {
        self.history[block * self.n_tiles + tile]
    }

    /// Histories of all units in a block.
    #[inline(always)]
    fn histories(&self, block: usize) -> &[Lanes<N, L>] {
        let first = block * self.n_tiles;
        self.history[first..first + self.n_tiles].as_flattened()
    }

    /// Counts of a tile's units in the blocks from `first` on.
    pub(super) fn counts(&self, tile: usize, first: usize) -> &[N] {
        let of = &self.counts[tile * self.n_blocks + first..];
        of.as_flattened().as_flattened()
    }

    /// Drives of a tile's units in the blocks from `first` on.
    #[inline(always)]
    pub(super) fn drives(
        &self,
        tile_weights: &TileWeights<'_, N>,
        first: usize,
        to: &mut [Tile<N, L>],
    ) {
        for (k, to) in to.chunks_mut(ABREAST).enumerate() {
            let first = first + k * ABREAST;
            if let [_, _, _, _] = &*to {
                let of: [_; ABREAST] = std::array::from_fn(|b| self.histories(first + b));
                to.copy_from_slice(&abreast(tile_weights, of));
            } else {
                for (b, to) in to.iter_mut().enumerate() {
                    [*to] = abreast(tile_weights, [self.histories(first + b)]);
                }
            }
        }
    }
}

/// A block's bins of one tile, out of blocks that lie `stride` apart.
#[inline(always)]
fn taken<N: Number, const L: usize>(of: &[Tile<N, L>], stride: usize, bins: &[u32]) -> Tile<N, L> {
    let at = |bin: u32| (bin as usize / L * stride, bin as usize % L);
    let ((block, lane), (end, _)) = (at(bins[0]), at(bins[bins.len() - 1]));
    if bins.len() == L && lane == 0 && block == end {
        return of[block];
    }
    let mut tile = [[N::default(); L]; TILE];
    for (k, &bin) in bins.iter().enumerate() {
        let (block, lane) = at(bin);
        for u in 0..TILE {
            tile[u][k] = of[block][u][lane];
        }
    }
    tile
}

/// What drives the units of a tile.
pub(super) struct TileWeights<'a, N> {
    pub(super) bias: [N; TILE],
    /// `[history unit]`.
    pub(super) weights: &'a [[N; TILE]],
}

/// Drives in B blocks at once. Nothing in the loop may panic, or the sums leave the registers.
#[inline(always)]
fn abreast<N: Number, const L: usize, const B: usize>(
    of: &TileWeights<'_, N>,
    histories: [&[Lanes<N, L>]; B],
) -> [Tile<N, L>; B] {
    let weights = of.weights;
    let histories = histories.map(|h| &h[..weights.len()]);
    let mut sums = [of.bias.map(|bias| [bias; L]); B];
    for (k, weights) in weights.iter().enumerate() {
        for b in 0..B {
            let history = histories[b][k];
            for u in 0..TILE {
                for l in 0..L {
                    sums[b][u][l] = weights[u].times_plus(history[l], sums[b][u][l]);
                }
            }
        }
    }
    sums
}

/// `sums[i][j] += a[i] * b[j]`, block after block, bins side by side. Factors are copied: of references the compiler makes
/// single instructions, too.
#[inline(always)]
pub(super) fn add_products<N: Number, const L: usize>(
    a: &[Tile<N, L>],
    b: impl Iterator<Item = Tile<N, L>>,
    sums: &mut [Tile<N, L>; TILE],
) {
    let mut all = *sums;
    for (&a, b) in a.iter().zip(b) {
        for i in 0..TILE {
            for j in 0..TILE {
                for l in 0..L {
                    all[i][j][l] = a[i][l].times_plus(b[j][l], all[i][j][l]);
                }
            }
        }
    }
    *sums = all;
}
