//! Synapses from one population of neurons to the next, read spike by spike.

use chiasm_core::vectorized;

use super::QcfsError;
use super::converted::{layer_fault, values};
use crate::network::{Layer, Network, Pooling, Window};

/// What lies between two layers of quantized activations: mean pools, then a convolution or a dense layer. Pools need no
/// neurons of their own: a spike reaches what pools it through the weights after them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Projection {
    /// For each neuron that spikes, its place and channel as the layer after it counts them.
    from: Vec<[u32; 2]>,
    /// For each place, where its links end.
    ends: Vec<u32>,
    /// Where in the sums a link leads, and the first of its weights, those of channel 0.
    links: Vec<[u32; 2]>,
    /// `[link, channel, output channel]`, times the worth of a spike.
    weights: Vec<f32>,
    /// Channels that come out.
    channels: usize,
    /// The sums without a spike: the biases, `[place, channel]`.
    rest: Vec<f32>,
}

/// A population's units and how they lie: units that come out are laid `[place, channel]`, which keeps together the weights
/// of one spike; the network's own order is `[channel, place]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lie {
    pub(super) channels: usize,
    pub(super) places: usize,
}

impl Lie {
    pub(super) fn n(self) -> usize {
        self.channels * self.places
    }

    /// The network's number of the unit that lies at `i`.
    pub(super) fn own(self, i: usize) -> usize {
        i % self.channels * self.places + i / self.channels
    }
}

impl Projection {
    /// Of the layers from `first` on, without their end, after neurons that lie like this and whose spikes are worth
    /// `worth`. Returns how the units that come out lie, too.
    pub(super) fn of(
        network: &Network<f32>,
        layers: std::ops::Range<usize>,
        before: Lie,
        worth: f32,
    ) -> Result<(Self, Lie), QcfsError> {
        let (first, last) = (layers.start, layers.end.saturating_sub(1));
        let expected = "mean pools, then one convolution or dense layer";
        let fault = |position, found: &str| Err(layer_fault(position, expected, found));
        let mut image: Option<[usize; 3]> = None;
        // For each place before the pools, the places after them that it counts in.
        let mut paths: Vec<Vec<usize>> = vec![];
        let mut factor = worth;
        for (i, layer) in network.layers()[layers.clone()].iter().enumerate() {
            let position = first + i;
            let Layer::Pool { window, pooling } = layer else {
                if position != last {
                    return fault(position, "another layer");
                }
                continue;
            };
            if *pooling != Pooling::Mean {
                return fault(position, "a pool of the largest");
            }
            if position == last {
                return fault(position, "a pool at the end");
            }
            if image.is_some_and(|image| image != window.image) {
                return fault(position, "an image of other channels or sides");
            }
            if image.is_none() {
                let [_, rows, columns] = window.image;
                paths = (0..rows * columns).map(|p| vec![p]).collect();
            }
            let into = reached(window);
            for path in &mut paths {
                *path = path.iter().flat_map(|p| &into[*p]).copied().collect();
            }
            factor /= (window.size[0] * window.size[1]) as f32;
            let [rows, columns] = window.outputs();
            image = Some([window.image[0], rows, columns]);
        }
        let (weight, bias) = (
            values(network, last, "weight"),
            values(network, last, "bias"),
        );
        let Some(layer) = network.layers().get(last).filter(|_| !layers.is_empty()) else {
            return fault(first, "none between activations");
        };
        // How the network counts what enters the last layer: channels, places; and for each place after the pools its
        // targets and the row of the weights for channel 0, with the rows from one channel to the next.
        let (own, out, targets, row_step): (_, _, Vec<Vec<[usize; 2]>>, _) = match layer {
            Layer::Convolution {
                window, channels, ..
            } => {
                if image.is_some_and(|image| image != window.image) {
                    return fault(last, "an image of other channels or sides");
                }
                let [inner, rows, columns] = window.image;
                let [to_rows, to_columns] = window.outputs();
                let own = Lie {
                    channels: inner,
                    places: rows * columns,
                };
                let out = Lie {
                    channels: *channels,
                    places: to_rows * to_columns,
                };
                (own, out, covered(window), window.size[0] * window.size[1])
            }
            Layer::Dense { outputs, .. } => {
                let own = image.map_or(before, |[channels, rows, columns]| Lie {
                    channels,
                    places: rows * columns,
                });
                let out = Lie {
                    channels: *outputs,
                    places: 1,
                };
                let targets = (0..own.places).map(|p| vec![[0, p]]).collect();
                (own, out, targets, own.places)
            }
            _ => return fault(last, "another layer"),
        };
        // Where a spike enters: before the pools, if there are some.
        let entered = match network.layers()[first] {
            Layer::Pool { window, .. } => Lie {
                channels: window.image[0],
                places: window.image[1] * window.image[2],
            },
            _ => own,
        };
        if paths.is_empty() {
            paths = (0..own.places).map(|p| vec![p]).collect();
        }
        let from = (0..before.n()).map(|i| {
            let unit = before.own(i);
            [
                (unit % entered.places) as u32,
                (unit / entered.places) as u32,
            ]
        });
        let n = out.channels;
        let block = own.channels * n;
        // One block of weights for each row that channel 0 may have.
        let mut weights = vec![0.0; row_step * block];
        for (row, block) in weights.chunks_exact_mut(block).enumerate() {
            for (channel, to) in block.chunks_exact_mut(n).enumerate() {
                let weights = &weight[(channel * row_step + row) * n..][..n];
                to.iter_mut()
                    .zip(weights)
                    .for_each(|(o, w)| *o = factor * w);
            }
        }
        let (mut ends, mut links) = (vec![], vec![]);
        for path in &paths {
            for [place, row] in path.iter().flat_map(|p| &targets[*p]) {
                links.push([(place * n) as u32, (row * block) as u32]);
            }
            ends.push(links.len() as u32);
        }
        let mut rest = vec![0.0; out.n()];
        for rest in rest.chunks_exact_mut(n) {
            rest.iter_mut().zip(bias).for_each(|(r, b)| *r = *b);
        }
        let projection = Self {
            from: from.collect(),
            ends,
            links,
            weights,
            channels: n,
            rest,
        };
        Ok((projection, out))
    }

    /// The sums that the neurons which spiked give what comes after them.
    pub(super) fn project(&self, active: &[u32], sums: &mut Vec<f32>) {
        sums.clear();
        sums.extend_from_slice(&self.rest);
        let n = self.channels;
        vectorized(
            #[inline(always)]
            || {
                for &neuron in active {
                    let [place, channel] = self.from[neuron as usize].map(|v| v as usize);
                    let start = place.checked_sub(1).map_or(0, |p| self.ends[p] as usize);
                    for [to, weight] in &self.links[start..self.ends[place] as usize] {
                        let weights = &self.weights[*weight as usize + channel * n..][..n];
                        let sums = &mut sums[*to as usize..][..n];
                        for (sum, w) in sums.iter_mut().zip(weights) {
                            *sum += w;
                        }
                    }
                }
            },
        );
    }
}

/// Calls `each` with every place of a window, every position in it, and the pixel there, if there is one.
fn each_pixel(window: &Window, mut each: impl FnMut(usize, usize, usize)) {
    let [_, height, width] = window.image;
    let [rows, columns] = window.outputs();
    let pixel = |axis: usize, place: usize, at: usize| {
        (place * window.stride[axis] + at).checked_sub(window.padding[axis])
    };
    for place in 0..rows * columns {
        for at in 0..window.size[0] * window.size[1] {
            let y = pixel(0, place / columns, at / window.size[1]).filter(|y| *y < height);
            let x = pixel(1, place % columns, at % window.size[1]).filter(|x| *x < width);
            if let (Some(y), Some(x)) = (y, x) {
                each(place, at, y * width + x);
            }
        }
    }
}

/// For each pixel of a pool the places that it counts in.
fn reached(window: &Window) -> Vec<Vec<usize>> {
    let mut into = vec![vec![]; window.image[1] * window.image[2]];
    each_pixel(window, |place, _, pixel| into[pixel].push(place));
    into
}

/// For each pixel of a convolution the places that it counts in, and its position in the window there.
fn covered(window: &Window) -> Vec<Vec<[usize; 2]>> {
    let mut into = vec![vec![]; window.image[1] * window.image[2]];
    each_pixel(window, |place, at, pixel| into[pixel].push([place, at]));
    into
}
