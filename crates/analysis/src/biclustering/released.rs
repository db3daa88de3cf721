//! Steps 5 to 7 as released: the identified form, clusters that compete for neurons, names, and what clusters just born need;
//! and how paths and clusters settle before states are looked for.

use chiasm_core::Streams;

use super::assign::assign;
use super::dynamics::{Steps, draw_dynamics};
use super::left_out::LeftOut;
use super::project::{of_cluster, project};
use super::state::{ChainState, Dynamics, Reference};
use super::sweep::{Broken, Sweeper};
use super::{Assignment, Biclustering};
use crate::partition::relabel;

/// Paths find their shape in a few sweeps before the first neuron may leave its cluster.
const FIRST_MOVE: usize = 5;

impl Sweeper<'_> {
    /// Steps 5 to 7: the identified form, clusters, names, and what clusters just born need.
    pub(super) fn finish(
        &mut self,
        state: &mut ChainState,
        streams: &Streams,
    ) -> Result<(), Broken> {
        let frozen = state.sweep as f64 >= self.config.reference_share * self.config.sweeps as f64;
        if !frozen {
            state.reference.labels = state.labels();
        }
        project(state);
        state.births = 0;
        if !self.config.one_cluster() && state.sweep >= FIRST_MOVE {
            let broken = "the precision of a path";
            let left_out = match self.config.assignment {
                // The pseudo-data of the loadings, which fit the present loadings as well as the former.
                Assignment::LeaveOneOut => {
                    Some(LeftOut::new(&self.data, &self.ln_r, state).ok_or(broken)?)
                }
                Assignment::InSample => None,
            };
            let streams = streams.child("clusters");
            let left_out = left_out.as_ref();
            let born = assign(
                self.config,
                self.counts,
                &self.prior,
                left_out,
                state,
                &streams,
            )
            .ok_or(broken)?;
            name_clusters(state);
            state.births = born.len();
            for c in &born {
                self.settle(state, *c, &streams.child("born"))?;
            }
            if !born.is_empty() {
                project(state);
            }
        }
        let (names, rows) = (state.names.clone(), state.rows);
        state.reference.update(&names, &state.paths, rows, !frozen);
        Ok(())
    }

    /// One more update of path and loadings for a cluster just born, which walks at random by itself.
    fn settle(&self, state: &mut ChainState, c: usize, streams: &Streams) -> Result<(), Broken> {
        let members: Vec<usize> = (0..state.clusters.len())
            .filter(|&i| state.clusters[i] == c)
            .collect();
        let (rows, k, p) = (state.rows, state.k(), state.p());
        let streams = streams.child(&format!("cluster {c}"));
        let counts = self.counts.select(&members);
        let alone = Biclustering {
            states: 1,
            ..self.config.clone()
        };
        let mut own = ChainState {
            clusters: vec![0; members.len()],
            names: vec![0],
            paths: of_cluster(&state.paths, k, c * rows, rows),
            offsets: members.iter().map(|&i| state.offsets[i]).collect(),
            loadings: members
                .iter()
                .flat_map(|&i| state.loading(i).to_vec())
                .collect(),
            dispersions: members.iter().map(|&i| state.dispersions[i]).collect(),
            states: vec![0; state.n_bins()],
            weights: vec![1.0],
            transitions: vec![1.0],
            dynamics: vec![Dynamics::random_walk(rows)],
            reference: Reference::default(),
            ..state.clone()
        };
        let mut sweeper = Sweeper::new(&alone, &counts);
        sweeper.draw_latents(&mut own, &streams)?;
        sweeper.draw_neurons(&mut own, &streams)?;
        for (x, new) in state
            .paths
            .chunks_exact_mut(k)
            .zip(own.paths.chunks_exact(rows))
        {
            x[c * rows..(c + 1) * rows].copy_from_slice(new);
        }
        for (j, &i) in members.iter().enumerate() {
            state.offsets[i] = own.offsets[j];
            state.loadings[i * p..(i + 1) * p].copy_from_slice(own.loading(j));
            state.dispersions[i] = own.dispersions[j];
        }
        state.accepted = own.accepted;
        Ok(())
    }
}

/// One state, in which each cluster has dynamics of its own and none moves another.
pub(super) fn walk_alone(state: &mut ChainState, streams: &Streams) -> Result<(), Broken> {
    let (rows, k) = (state.rows, state.k());
    state.states.fill(0);
    let mut whole = Dynamics::random_walk(k);
    for c in 0..state.n_clusters() {
        let path = of_cluster(&state.paths, k, c * rows, rows);
        let steps = Steps::of_states(&path, &state.states, 1, rows);
        let drawn = draw_dynamics(&steps[0], &mut streams.indexed("alone", c));
        let own = drawn.ok_or("the posterior of the dynamics")?;
        for a in 0..rows {
            let at = c * rows + a;
            whole.b[at] = own.b[a];
            for b in 0..rows {
                whole.a[at * k + c * rows + b] = own.a[a * rows + b];
                whole.q[at * k + c * rows + b] = own.q[a * rows + b];
            }
        }
    }
    state.dynamics.fill(whole);
    Ok(())
}

/// Names of the clusters, so that as many neurons as possible keep the name they have in the reference.
pub(super) fn name_clusters(state: &mut ChainState) {
    // Never of two lengths, nor empty.
    if let Ok(labels) = relabel(&state.reference.labels, &state.clusters) {
        for (c, label) in state.clusters.iter().zip(labels) {
            state.names[*c] = label;
        }
    }
}
