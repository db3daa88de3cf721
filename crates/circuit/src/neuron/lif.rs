//! What all leaky integrate-and-fire neurons with two receptors share: the step over blocks, spikes and rest.

use chiasm_core::vectorized;

use super::{BLOCK, Cells, Drive, Refractory, fire};

/// What one step does to a block of neurons.
pub(super) trait Membrane: Copy + std::fmt::Debug + Send + Sync + 'static {
    fn v_th(&self) -> f64;
    fn v_reset(&self) -> f64;
    /// Steps potentials and both synaptic variables; whether any neuron is at threshold.
    fn block(
        self,
        v: &mut [f64],
        ex: &mut [f64],
        inh: &mut [f64],
        drive: impl Fn(usize) -> f64,
    ) -> bool;
}

/// Potentials, synaptic variables, and which blocks hold a neuron at threshold.
#[derive(Debug)]
pub(super) struct LifCells<M> {
    v: Vec<f64>,
    ex: Vec<f64>,
    inh: Vec<f64>,
    hot: Vec<bool>,
    membrane: M,
    refractory: Refractory,
}

impl<M: Membrane> LifCells<M> {
    /// `n` neurons at rest.
    pub(super) fn new(n: usize, e_l_mv: f64, t_ref_ms: f64, dt_ms: f64, membrane: M) -> Self {
        Self {
            v: vec![e_l_mv; n],
            ex: vec![0.0; n],
            inh: vec![0.0; n],
            hot: vec![false; n.div_ceil(BLOCK)],
            membrane,
            refractory: Refractory::new(t_ref_ms, dt_ms),
        }
    }
}

impl<M: Membrane> Cells for LifCells<M> {
    fn step(&mut self, drive: Drive<'_>, fired: &mut Vec<u32>) {
        let Self {
            v,
            ex,
            inh,
            hot,
            membrane,
            refractory,
        } = self;
        let m = *membrane;
        vectorized(
            #[inline(always)]
            || {
                let blocks = v.chunks_mut(BLOCK).zip(ex.chunks_mut(BLOCK));
                let blocks = blocks.zip(inh.chunks_mut(BLOCK)).zip(hot.iter_mut());
                match drive {
                    Drive::Same(i) => {
                        for (((v, ex), inh), hot) in blocks {
                            *hot = m.block(v, ex, inh, |_| i);
                        }
                    }
                    Drive::Each(each) => {
                        for ((((v, ex), inh), hot), each) in blocks.zip(each.chunks(BLOCK)) {
                            *hot = m.block(v, ex, inh, |i| each[i]);
                        }
                    }
                }
            },
        );
        refractory.hold(v, m.v_reset());
        let before = fired.len();
        fire(v, hot, (m.v_th(), m.v_reset()), fired);
        refractory.next(&fired[before..]);
    }

    fn variable(&self, idx: usize) -> &[f64] {
        [&self.v, &self.ex, &self.inh][idx]
    }

    fn variable_mut(&mut self, idx: usize) -> &mut [f64] {
        [&mut self.v, &mut self.ex, &mut self.inh][idx]
    }
}
