//! From layers to steps and their parameters.

use super::start::{Draw, quadratic};
use super::{Layer, Network, NetworkError, Step};
use crate::Real;

impl<T: Real> Network<T> {
    /// Adds the steps of these layers, which `width` units enter, and draws their parameters in the order of the layers.
    pub(super) fn build(
        &mut self,
        layers: &[Layer],
        prefix: &str,
        mut width: usize,
        draw: &mut Draw<'_>,
    ) -> Result<(), NetworkError> {
        for (i, layer) in layers.iter().enumerate() {
            let name = format!("{prefix}{i}");
            let p = &mut self.parameters;
            let step = match layer {
                Layer::Dense { outputs, bias } => Step::Dense {
                    weight: draw.weight(p, format!("{name}.weight"), [width, *outputs]),
                    bias: bias.then(|| draw.bias(p, format!("{name}.bias"), width, *outputs)),
                },
                Layer::Quadratic {
                    outputs,
                    terms,
                    start,
                } => {
                    let shape = ([width, *outputs], None);
                    Step::Quadratic(quadratic(p, &name, shape, (*terms, *start), draw))
                }
                Layer::QuadraticConvolution {
                    window,
                    channels,
                    terms,
                    start,
                } => {
                    let shape = ([window.patch(), *channels], Some(*window));
                    Step::Quadratic(quadratic(p, &name, shape, (*terms, *start), draw))
                }
                Layer::Convolution {
                    window,
                    channels,
                    bias,
                } => {
                    let [patch, n] = [window.patch(), *channels];
                    Step::Convolution {
                        window: *window,
                        weight: draw.weight(p, format!("{name}.weight"), [patch, n]),
                        bias: bias.then(|| draw.bias(p, format!("{name}.bias"), patch, n)),
                    }
                }
                Layer::Pool { window, pooling } => Step::Pool {
                    window: *window,
                    pooling: *pooling,
                },
                Layer::Each(nonlinearity) => Step::Each(*nonlinearity),
                Layer::Quantized { levels, scale } => Step::Quantized {
                    levels: *levels,
                    scale: p.push(format!("{name}.scale"), [1, 1], vec![*scale]),
                },
                Layer::Norm => Step::Norm {
                    gain: p.push(format!("{name}.gain"), [1, width], vec![1.0; width]),
                    shift: p.push(format!("{name}.shift"), [1, width], vec![0.0; width]),
                },
                Layer::BatchNorm { channels } => {
                    let n = *channels;
                    let running = &mut self.statistics;
                    let mean = running.push(format!("{name}.running_mean"), [1, n], vec![0.0; n]);
                    running.push(format!("{name}.running_var"), [1, n], vec![1.0; n]);
                    Step::BatchNorm {
                        gain: p.push(format!("{name}.gain"), [1, n], vec![1.0; n]),
                        shift: p.push(format!("{name}.shift"), [1, n], vec![0.0; n]),
                        running: [mean, mean + 1],
                        places: width / n,
                    }
                }
                Layer::Residual(branch) | Layer::ReZero(branch) => {
                    self.steps.push(Step::Open);
                    self.build(branch, &format!("{name}."), width, draw)?;
                    let gated = matches!(layer, Layer::ReZero(_));
                    let p = &mut self.parameters;
                    let mut push = || p.push(format!("{name}.alpha"), [1, 1], vec![0.0]);
                    let alpha = gated.then(&mut push);
                    Step::Close { alpha }
                }
                Layer::Embedding { vocabulary, .. } => {
                    let shape = [*vocabulary, layer.width(width)?];
                    let table = draw.table(p, format!("{name}.table"), shape);
                    Step::Embedding { table }
                }
                Layer::Positions { span } => Step::Positions {
                    table: draw.table(p, format!("{name}.table"), [*span, width]),
                },
                Layer::Attention(how) => Step::Attention {
                    weight: draw.weight(p, format!("{name}.weight"), [width, 3 * width]),
                    how: *how,
                },
                // The network begins with the embedding: its table is the first of the parameters.
                Layer::Tied { .. } => Step::Tied { table: 0 },
            };
            self.steps.push(step);
            width = layer.width(width)?;
        }
        Ok(())
    }
}
