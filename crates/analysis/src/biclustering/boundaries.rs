//! Boundaries between states, moved with the paths integrated out.
//!
//! Given a path, its state cannot begin before the path looks like it, nor the path look like a state before that has begun:
//! together they can.

use chiasm_core::Rng;
use rand::RngExt;

use super::latents::{Conditional, Space};
use super::state::ChainState;

/// Bins by which a boundary is moved at most.
const LONGEST_SHIFT: usize = 12;

impl Conditional<'_> {
    /// Shifts boundaries between states with the paths integrated out, then draws the paths: `moves` Metropolis-Hastings
    /// proposals, each of which moves one boundary, drawn evenly, by a few bins. Given a path, its state cannot begin before
    /// the path looks like it, nor the path look like a state before that has begun: together they can. All clusters must be
    /// drawn. Returns how many proposals were accepted, and the log evidence of the pseudo-data under the states at the end.
    pub(super) fn shift_and_draw(
        &self,
        state: &mut ChainState,
        moves: usize,
        rng: &mut Rng,
        space: &mut Space,
    ) -> Option<(usize, f64)> {
        self.forward(state, space)?;
        let mut accepted = 0;
        for _ in 0..moves {
            accepted += usize::from(self.shift(state, rng, space).unwrap_or(false));
        }
        self.backward(Some(rng), space);
        self.take(state, space);
        Some((accepted, space.terms.iter().sum()))
    }

    fn shift(&self, state: &mut ChainState, rng: &mut Rng, space: &mut Space) -> Option<bool> {
        let n_bins = state.n_bins();
        let boundaries: Vec<usize> = (2..n_bins)
            .filter(|&t| state.states[t] != state.states[t - 1])
            .collect();
        if boundaries.is_empty() {
            return Some(false);
        }
        let which = rng.random_range(0..boundaries.len());
        let at = boundaries[which];
        let length = rng.random_range(1..=LONGEST_SHIFT);
        let later = rng.random::<bool>();
        // Neither run may vanish, else the way back is another.
        let (low, high) = if later {
            (at, at + length)
        } else {
            (at.saturating_sub(length), at)
        };
        let first = if which == 0 { 1 } else { boundaries[which - 1] };
        let last = boundaries.get(which + 1).copied().unwrap_or(n_bins);
        if low <= first || high >= last {
            return Some(false);
        }
        let old = state.states[low];
        let new = state.states[if later { at - 1 } else { at }];
        let l = state.weights.len();
        let stay = |s: usize| state.transitions[s * l + s].ln();
        let prior = length as f64 * (stay(new) - stay(old));
        state.states[low..high].fill(new);
        let change = self.eliminate_anew(state, low, high, space);
        let accept = change.is_some_and(|c| c + prior > rng.random::<f64>().ln());
        if !accept {
            state.states[low..high].fill(old);
            space.restore(low - 1, self.own().len());
        }
        Some(accept)
    }

    /// Does the forward pass again after the states of bins `low..high` have changed, until nothing changes any more; what
    /// it replaces can be restored. Returns the change of the log evidence.
    fn eliminate_anew(
        &self,
        state: &ChainState,
        low: usize,
        high: usize,
        space: &mut Space,
    ) -> Option<f64> {
        let size = Space::size(self.own().len());
        space.undo.clear();
        let mut change = 0.0;
        // The bin before looks ahead to the first that has changed.
        for t in low - 1..state.n_bins() {
            let kept = space.undo.len();
            let bin = t * size..(t + 1) * size;
            space.undo.extend_from_slice(&space.factors[bin.clone()]);
            space.undo.extend_from_slice(&space.links[bin.clone()]);
            space.undo.push(space.terms[t]);
            let old = space.terms[t];
            change += self.eliminate(state, t, space)? - old;
            let near = |(new, old): (&f64, &f64)| (new - old).abs() <= 1e-9 * (1.0 + old.abs());
            let factors = space.factors[bin].iter();
            if t >= high && factors.zip(&space.undo[kept..]).all(near) {
                break;
            }
        }
        Some(change)
    }
}

impl Space {
    /// Puts back what was replaced from bin `from` on.
    fn restore(&mut self, from: usize, m: usize) {
        let size = Self::size(m);
        for (i, old) in self.undo.chunks_exact(2 * size + 1).enumerate() {
            let bin = (from + i) * size..(from + i + 1) * size;
            self.factors[bin.clone()].copy_from_slice(&old[..size]);
            self.links[bin].copy_from_slice(&old[size..2 * size]);
            self.terms[from + i] = old[2 * size];
        }
    }
}
