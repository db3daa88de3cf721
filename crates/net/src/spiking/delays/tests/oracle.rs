//! The whole network once more, plainly: dense arrays, loops in the order of the equations, double precision, spikes smooth.

use super::super::kernel::{Bump, taps};
use super::super::network::DelayNetwork;
use super::super::neuron::smooth;

/// Activity `[step][neuron]`.
pub(super) type Plain = Vec<Vec<f64>>;

/// What arrives by the convolution of the padded input with the kernels, as the card writes it.
pub(super) fn convolved(
    x: &Plain,
    weight: &dyn Fn(usize, usize) -> f64,
    position: &dyn Fn(usize, usize) -> f64,
    n_out: usize,
    length: usize,
    bump: Bump,
) -> Plain {
    let n_in = x[0].len();
    let mut padded = vec![vec![0.0; n_in]; length - 1];
    padded.extend(x.iter().cloned());
    padded.extend(vec![vec![0.0; n_in]; (length - 1) / 2]);
    let mut out = vec![vec![0.0; n_out]; padded.len() + 1 - length];
    for i in 0..n_in {
        for o in 0..n_out {
            // Taps come by delay; the convolution counts them backward in time.
            let mut kernel = taps(weight(i, o), position(i, o), length, bump);
            kernel.reverse();
            for (t, out) in out.iter_mut().enumerate() {
                let seen = kernel.iter().zip(&padded[t..]);
                out[o] += seen.map(|(tap, row)| tap * row[i]).sum::<f64>();
            }
        }
    }
    out
}

/// The mean loss of a batch. Resets are where `resets` says, for each hidden layer and sample; those of this network are
/// left there if it is empty.
pub(super) fn loss(
    network: &DelayNetwork<f64>,
    inputs: &[Plain],
    labels: &[usize],
    bump: Bump,
    kept: &dyn Fn(usize, usize, usize) -> f64,
    resets: &mut Vec<Vec<Vec<Vec<bool>>>>,
) -> f64 {
    let record = resets.is_empty();
    let mut now: Vec<Plain> = inputs.to_vec();
    for (l, layer) in network.layers.iter().enumerate() {
        let (n, n_out) = (layer.n_out, layer.n_out);
        let weight = |i: usize, o: usize| layer.weights[i * n + o];
        let position = |i: usize, o: usize| layer.positions[i * n + o];
        let arrived: Vec<Plain> = now
            .iter()
            .map(|x| convolved(x, &weight, &position, n_out, network.length, bump))
            .collect();
        let Some(norm) = &layer.norm else {
            now = arrived;
            continue;
        };
        let count = arrived.iter().map(Vec::len).sum::<usize>() as f64;
        let mut of_layer = vec![];
        let mut currents = arrived.clone();
        for j in 0..n {
            let all = || arrived.iter().flatten().map(|row| row[j]);
            let mean = all().sum::<f64>() / count;
            let variance = all().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            for row in currents.iter_mut().flatten() {
                row[j] = (row[j] - mean) / (variance + 1e-5).sqrt() * norm.gain[j] + norm.shift[j];
            }
        }
        for (b, rows) in currents.iter_mut().enumerate() {
            let mut v = vec![0.0; n];
            let mut of_sample = vec![];
            for (t, row) in rows.iter_mut().enumerate() {
                let mut reset = vec![false; n];
                for j in 0..n {
                    v[j] = v[j] * network.leak + row[j];
                    row[j] = smooth(v[j], network.alpha) * kept(l, b, j);
                    reset[j] = if record {
                        v[j] >= 1.0
                    } else {
                        resets[l][b][t][j]
                    };
                    if reset[j] {
                        v[j] = 0.0;
                    }
                }
                of_sample.push(reset);
            }
            of_layer.push(of_sample);
        }
        if record {
            resets.push(of_layer);
        }
        now = currents;
    }
    let mut total = 0.0;
    for (rows, label) in now.iter().zip(labels) {
        let n = rows[0].len();
        let (mut v, mut m) = (vec![0.0; n], vec![0.0; n]);
        for row in rows {
            for j in 0..n {
                v[j] = v[j] * network.leak + row[j];
            }
            let sum: f64 = v.iter().map(|v| v.exp()).sum();
            for j in 0..n {
                m[j] += v[j].exp() / sum;
            }
        }
        let sum: f64 = m.iter().map(|m| m.exp()).sum();
        total += sum.ln() - m[*label];
    }
    total / labels.len() as f64
}
