//! The split stage: each cluster is clustered by itself, and what comes apart stays apart if that is an improvement.

use chiasm_core::Streams;

use super::StimuliError;
use super::cluster::{Effort, Search, State, balanced};

impl Search<'_> {
    /// Tries to split each cluster, until a full pass changes nothing; the number of splits that stayed.
    ///
    /// Nothing of a split that is not an improvement is left behind: it is tried on a copy.
    pub(super) fn split(
        &self,
        mut state: State,
        streams: &Streams,
    ) -> Result<(State, usize), StimuliError> {
        let config = self.config;
        let mut n_splits = 0;
        for pass in 0..config.split_passes {
            let mut changed = false;
            let mut cluster = 0;
            self.watch.stage("split", state.n_clusters() as u64);
            // Clusters that a split adds stand at the end and are tried in the same pass.
            while cluster < state.n_clusters() {
                let streams = streams.child(&format!("pass {pass}, cluster {cluster}"));
                if let Some(better) = self.try_split(&state, cluster, &streams)? {
                    state = better;
                    changed = true;
                    n_splits += 1;
                }
                cluster += 1;
                self.watch.tick(1);
            }
            if !changed {
                break;
            }
        }
        Ok((state, n_splits))
    }

    /// The clustering with this cluster split, if that is better.
    fn try_split(
        &self,
        state: &State,
        cluster: usize,
        streams: &Streams,
    ) -> Result<Option<State>, StimuliError> {
        let config = self.config;
        let own: Vec<usize> = (0..state.labels.len())
            .filter(|&k| state.labels[k] == cluster)
            .collect();
        if own.len() < 2 {
            return Ok(None);
        }
        let into = config.split_clusters.unwrap_or(config.clusters);
        let labels = balanced(
            own.len(),
            into.min(own.len()),
            &mut streams.stream("assignment"),
        );
        // Within the cluster, its parts are compared with each other alone.
        let inner = State::new(own.iter().map(|&k| state.neurons[k]).collect(), labels);
        let effort = Effort {
            steps: config.split_inner_steps,
            iterations: config.split_iterations,
        };
        let inner = self.cluster(inner, effort, &streams.child("within"), |_| ())?;
        if inner.n_clusters() < 2 {
            return Ok(None);
        }
        let n_clusters = state.n_clusters();
        let mut labels = state.labels.clone();
        for (&k, &part) in own.iter().zip(&inner.labels) {
            if part > 0 {
                labels[k] = n_clusters - 1 + part;
            }
        }
        let split = State::new(state.neurons.clone(), labels);
        let effort = Effort {
            steps: config.split_steps,
            iterations: 1,
        };
        let split = self.cluster(split, effort, &streams.child("reassign"), |_| ())?;
        let steps = config.split_steps;
        let before = self.judge(state, steps, &streams.child("before"))?;
        let after = self.judge(&split, steps, &streams.child("after"))?;
        // Half of a cluster can look unlike the other by its noise alone; then neurons held out go either way.
        let stands = |&k: &usize| after.recall[split.labels[k]] >= config.split_recall;
        let stands = !config.held_out || own.iter().all(stands);
        Ok((stands && after.score > before.score).then_some(split))
    }
}
