//! A linear layer of spikes and the neurons behind it, forward and backward, on slices.
//!
//! The work goes column block by column block of the weights. A block's weights are copied together once; then, for a tile of
//! samples, the rows of the active inputs are added up, some hundred rows after another so that they stay in the cache while
//! all samples of the tile take from them, and the neurons are stepped through the tile while its sums are still there.
//! Backward, a tile's gradients are made in the same way and added to the rows of the inputs that were active.

use chiasm_core::vectorized;
use rayon::prelude::*;

use super::events::Spikes;
use super::gather::{COLUMNS, Gather, Piece};
use super::neuron::{Factors, Neuron, Scratch};
use super::slices::{Rows, check_leak, check_length, columns_mut};
use super::{Lif, SpikingError, spare};

/// Samples of a tile, unless one step has more.
const TILE: usize = 512;
/// Weight rows that are gone through for all samples of a tile before the next are.
const ROWS: usize = 512;

/// Weights `[in, out]`, bias `[out]` and leak (`[1]` or `[out]`) of a linear layer of spiking neurons.
#[derive(Debug, Clone, Copy)]
pub struct LinearParameters<'a> {
    /// Row by row.
    pub weights: &'a [f32],
    /// `None` for 0.
    pub bias: Option<&'a [f32]>,
    /// One for all or one for each.
    pub leak: &'a [f32],
    /// Number of neurons.
    pub n_out: usize,
}

/// The potentials before the resets, which a forward pass leaves for the backward one.
#[derive(Debug, Clone, PartialEq)]
pub struct Potentials {
    /// `[column block][sample]`.
    values: Vec<Piece>,
    n_samples: usize,
    n_out: usize,
}

impl Drop for Potentials {
    fn drop(&mut self) {
        spare::give(std::mem::take(&mut self.values));
    }
}

/// Which gradients a backward pass is to give beside that of the bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Of the weights.
    pub weights: bool,
    /// Of the leak.
    pub leak: bool,
    /// Of the linear layer's output. Its product with the transposed weights is the gradient of the input.
    pub sums: bool,
}

/// Gradients; those that were not wanted are empty.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearGradients {
    /// `[in, out]`.
    pub weights: Vec<f32>,
    /// `[out]`.
    pub bias: Vec<f32>,
    /// `[1]` or `[out]`.
    pub leak: Vec<f32>,
    /// `[time, batch, out]`.
    pub sums: Vec<f32>,
}

/// Spikes `[time, batch, out]` of neurons whose input is `spikes weights + bias`; the potentials if they are to be kept.
///
/// # Errors
/// A setting or a leak out of its range, slices of another length than the layer needs.
pub fn spiking_linear_forward(
    config: &Lif,
    spikes: &Spikes,
    parameters: LinearParameters<'_>,
    keep: bool,
) -> Result<(Vec<f32>, Option<Potentials>), SpikingError> {
    check(config, spikes, &parameters)?;
    Ok(forward(config, spikes, parameters, keep))
}

/// The same, of what is known to fit.
pub(super) fn forward(
    config: &Lif,
    spikes: &Spikes,
    parameters: LinearParameters<'_>,
    keep: bool,
) -> (Vec<f32>, Option<Potentials>) {
    let LinearParameters {
        weights,
        bias,
        leak,
        n_out,
    } = parameters;
    let [_, batch, n_in] = spikes.shape();
    let n_samples = spikes.n_samples();
    let cuts = spikes.cuts(ROWS);
    let tile = tile_samples(batch);
    let neuron = Neuron::new(config);

    let mut out = vec![0.0f32; n_samples * n_out];
    let columns = columns_mut(&mut out, n_out, COLUMNS);
    let length = if keep { columns.len() * n_samples } else { 0 };
    // Every value is written below.
    let mut values = spare::take(length);
    let mut kept: Vec<Option<&mut [Piece]>> = if keep && n_samples > 0 {
        values.chunks_mut(n_samples).map(Some).collect()
    } else {
        Vec::new()
    };
    kept.resize_with(columns.len(), || None);

    columns
        .into_par_iter()
        .zip(kept)
        .enumerate()
        .for_each(|(c, (mut out, mut kept))| {
            let block = c * COLUMNS..n_out.min((c + 1) * COLUMNS);
            let panel: Vec<Piece> = weights
                .chunks_exact(n_out)
                .take(n_in)
                .map(|row| piece(&row[block.clone()]))
                .collect();
            let bias = bias.map_or([0.0; COLUMNS], |b| piece(&b[block.clone()]));
            let factors = Factors::new(config, leaks(leak, c).into_iter());
            let mut state = vec![[0.0f32; COLUMNS]; batch];
            let mut own = vec![[0.0f32; COLUMNS]; if kept.is_some() { 0 } else { tile }];
            for from in (0..n_samples).step_by(tile) {
                let to = (from + tile).min(n_samples);
                let sums = match &mut kept {
                    Some(all) => &mut all[from..to],
                    None => &mut own[..to - from],
                };
                sums.fill(bias);
                for pair in cuts.windows(2) {
                    let gather = Gather {
                        rows: &panel,
                        active: spikes.neurons(),
                        from: &pair[0][from..to],
                        to: &pair[1][from..to],
                        sums: &mut *sums,
                    };
                    gather.run();
                }
                vectorized(
                    #[inline(always)]
                    || {
                        let steps = sums.chunks_exact_mut(batch);
                        for (step, out) in steps.zip(out[from..to].chunks_exact_mut(batch)) {
                            for ((u, v), out) in step.iter_mut().zip(&mut state).zip(out) {
                                let mut fired = [0.0; COLUMNS];
                                neuron.forward(&factors, u, v, &mut fired);
                                put(out, &fired);
                            }
                        }
                    },
                );
            }
        });
    let potentials = keep.then_some(Potentials {
        values,
        n_samples,
        n_out,
    });
    (out, potentials)
}

/// Gradients of [`spiking_linear_forward`] from `grad`, that of its spikes.
///
/// # Errors
/// As the forward pass, and potentials of another layer.
pub fn spiking_linear_backward(
    config: &Lif,
    spikes: &Spikes,
    parameters: LinearParameters<'_>,
    potentials: &Potentials,
    grad: &[f32],
    wanted: Wanted,
) -> Result<LinearGradients, SpikingError> {
    check(config, spikes, &parameters)?;
    let ([time, batch, _], n_out) = (spikes.shape(), parameters.n_out);
    check_length("grad", &[time, batch, n_out], grad.len())?;
    if (potentials.n_samples, potentials.n_out) != (spikes.n_samples(), n_out) {
        return Err(SpikingError::Shape {
            what: "potentials",
            expected: format!("{:?}", [time, batch, n_out]),
            found: vec![potentials.n_samples, potentials.n_out],
        });
    }
    let grad = Rows::whole(grad, batch, n_out);
    Ok(backward(
        config, spikes, parameters, potentials, grad, wanted,
    ))
}

/// The same, of what is known to fit.
pub(super) fn backward(
    config: &Lif,
    spikes: &Spikes,
    parameters: LinearParameters<'_>,
    potentials: &Potentials,
    grad: Rows<'_, f32>,
    wanted: Wanted,
) -> LinearGradients {
    let LinearParameters { leak, n_out, .. } = parameters;
    let [_, batch, n_in] = spikes.shape();
    let n_samples = spikes.n_samples();
    let tile = tile_samples(batch);
    let by_neuron = if wanted.weights {
        spikes.by_neuron(tile)
    } else {
        Vec::new()
    };
    let neuron = Neuron::new(config);

    let of = |wanted: bool, length: usize| vec![0.0f32; if wanted { length } else { 0 }];
    let mut of_weights = of(wanted.weights, n_in * n_out);
    let mut of_sums = of(wanted.sums, n_samples * n_out);
    let mut weight_columns = columns_mut(&mut of_weights, n_out, COLUMNS);
    let mut sum_columns = columns_mut(&mut of_sums, n_out, COLUMNS);
    weight_columns.resize_with(n_out.div_ceil(COLUMNS), Vec::new);
    sum_columns.resize_with(n_out.div_ceil(COLUMNS), Vec::new);

    let ends: Vec<(Piece, Piece)> = weight_columns
        .into_par_iter()
        .zip(sum_columns)
        .enumerate()
        .map(|(c, (of_weights, mut of_sums))| {
            let block = c * COLUMNS..n_out.min((c + 1) * COLUMNS);
            let u = &potentials.values[c * n_samples..][..n_samples];
            let factors = Factors::new(config, leaks(leak, c).into_iter());
            let mut scratch = Scratch::new(COLUMNS);
            let mut carry = vec![[0.0f32; COLUMNS]; batch];
            let (mut of_bias, mut of_leak) = ([0.0f32; COLUMNS], [0.0f32; COLUMNS]);
            let mut panel = vec![[0.0f32; COLUMNS]; of_weights.len()];
            let mut gradients = vec![[0.0f32; COLUMNS]; tile];
            for (t, from) in (0..n_samples).step_by(tile).enumerate().rev() {
                let to = (from + tile).min(n_samples);
                let gradients = &mut gradients[..to - from];
                vectorized(
                    #[inline(always)]
                    || {
                        let mut bias = [0.0f32; COLUMNS];
                        for sample in (from..to).rev() {
                            let g = &mut gradients[sample - from];
                            *g = piece(&grad.row(sample)[block.clone()]);
                            let before = sample.checked_sub(batch).map(|s| &u[s][..]);
                            neuron.backward(
                                &factors,
                                (&u[sample][..], before),
                                g,
                                &mut carry[sample % batch],
                                wanted.leak.then_some(&mut of_leak[..]),
                                &mut scratch,
                            );
                            for (sum, g) in bias.iter_mut().zip(&*g) {
                                *sum += *g;
                            }
                        }
                        // Tile by tile, for sums of many samples in single precision.
                        for (sum, part) in of_bias.iter_mut().zip(&bias) {
                            *sum += *part;
                        }
                    },
                );
                if wanted.sums {
                    for (out, g) in of_sums[from..to].iter_mut().zip(&*gradients) {
                        put(out, g);
                    }
                }
                if let Some(active) = by_neuron.get(t) {
                    let gather = Gather {
                        rows: gradients,
                        active: &active.samples,
                        from: &active.cuts[..n_in],
                        to: &active.cuts[1..],
                        sums: &mut panel,
                    };
                    gather.run();
                }
            }
            for (out, sum) in of_weights.into_iter().zip(&panel) {
                put(out, sum);
            }
            (of_bias, of_leak)
        })
        .collect();

    let whole = |each: fn(&(Piece, Piece)) -> &Piece| -> Vec<f32> {
        let all = ends.iter().flat_map(|e| each(e).iter().copied());
        all.take(n_out).collect()
    };
    let of_leak = match (wanted.leak, leak.len()) {
        (false, _) => Vec::new(),
        (true, 1) => {
            let each = whole(|(_, l)| l).into_iter().map(f64::from);
            vec![each.sum::<f64>() as f32]
        }
        (true, _) => whole(|(_, l)| l),
    };
    LinearGradients {
        bias: whole(|(b, _)| b),
        leak: of_leak,
        weights: of_weights,
        sums: of_sums,
    }
}

fn check(config: &Lif, spikes: &Spikes, p: &LinearParameters<'_>) -> Result<(), SpikingError> {
    config.validate()?;
    check_leak(config, p.n_out, p.leak.iter().map(|l| f64::from(*l)))?;
    check_length("weights", &[spikes.shape()[2], p.n_out], p.weights.len())?;
    p.bias
        .map_or(Ok(()), |b| check_length("bias", &[p.n_out], b.len()))
}

/// Whole steps of the batch.
fn tile_samples(batch: usize) -> usize {
    (TILE / batch.max(1)).max(1) * batch.max(1)
}

/// Columns, filled up with zeros.
#[inline(always)]
fn piece(values: &[f32]) -> Piece {
    // All but the last block are whole, and copied without a call.
    Piece::try_from(values).unwrap_or_else(|_| {
        let mut piece = [0.0; COLUMNS];
        piece[..values.len()].copy_from_slice(values);
        piece
    })
}

/// Columns, without what they were filled up with.
#[inline(always)]
fn put(out: &mut [f32], piece: &Piece) {
    if let Ok(whole) = <&mut Piece>::try_from(&mut *out) {
        *whole = *piece;
    } else {
        out.copy_from_slice(&piece[..out.len()]);
    }
}

/// The leaks of a column block; 0 beyond the last neuron.
fn leaks(leak: &[f32], block: usize) -> Piece {
    let mut lanes = [0.0; COLUMNS];
    for (lane, l) in lanes.iter_mut().enumerate() {
        let at = if leak.len() == 1 {
            0
        } else {
            block * COLUMNS + lane
        };
        *l = leak.get(at).copied().unwrap_or(0.0);
    }
    lanes
}
