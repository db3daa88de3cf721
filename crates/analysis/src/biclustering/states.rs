//! Step 2, first half: states of the bins under a sticky hierarchical Dirichlet process in its weak-limit form (Fox et al.
//! 2011), and which state governs which step.

use chiasm_core::{Rng, vectorized};
use ndarray::{Array1, Array2};
use rand::RngExt;
use rand_distr::{Binomial, Distribution, Gamma};

use super::columns::Columns;
use super::config::Biclustering;
use super::dense::{cholesky, half_ln_det};
use super::lanes::{LANES, Lanes, less_product};
use super::state::{ChainState, Dynamics};
use crate::hmm::{HiddenChain, HmmError};

/// Draws shared weights and transitions given the states.
pub(super) fn draw_transitions(config: &Biclustering, state: &mut ChainState, rng: &mut Rng) {
    let l = state.weights.len();
    if l == 1 {
        return;
    }
    let mut counts = vec![0usize; l * l];
    // The first bin only carries the state of the second.
    for two in state.states[1..].windows(2) {
        counts[two[0] * l + two[1]] += 1;
    }
    // Tables of the restaurant of each state, less those of staying for stickiness alone.
    let mut tables = vec![0usize; l];
    for from in 0..l {
        for to in 0..l {
            let own = if from == to { config.kappa } else { 0.0 };
            let weight = config.alpha * state.weights[to];
            let mut opened = chinese_restaurant(counts[from * l + to], weight + own, rng);
            if from == to && opened > 0 {
                let share = own / (weight + own);
                let overridden = Binomial::new(opened as u64, share.clamp(0.0, 1.0));
                opened -= overridden.map_or(0, |b| b.sample(rng)) as usize;
            }
            tables[to] += opened;
        }
    }
    let shapes: Vec<f64> = tables
        .iter()
        .map(|m| config.gamma / l as f64 + *m as f64)
        .collect();
    dirichlet(&shapes, &mut state.weights, rng);
    let mut shapes = vec![0.0; l];
    for from in 0..l {
        for to in 0..l {
            let own = if from == to { config.kappa } else { 0.0 };
            shapes[to] = config.alpha * state.weights[to] + own + counts[from * l + to] as f64;
        }
        dirichlet(
            &shapes,
            &mut state.transitions[from * l..(from + 1) * l],
            rng,
        );
    }
}

/// Shared weights and transitions from their prior.
pub(super) fn prior_transitions(config: &Biclustering, rng: &mut Rng) -> (Vec<f64>, Vec<f64>) {
    let l = config.states;
    let mut weights = vec![1.0; l];
    dirichlet(&vec![config.gamma / l as f64; l], &mut weights, rng);
    let mut transitions = vec![1.0; l * l];
    for from in 0..l {
        let shapes: Vec<f64> = (0..l)
            .map(|to| config.alpha * weights[to] + if from == to { config.kappa } else { 0.0 })
            .collect();
        dirichlet(&shapes, &mut transitions[from * l..(from + 1) * l], rng);
    }
    (weights, transitions)
}

/// Tables that `n` guests open in a restaurant of this weight.
pub(super) fn chinese_restaurant(n: usize, weight: f64, rng: &mut Rng) -> usize {
    (0..n)
        .filter(|&j| rng.random::<f64>() * (j as f64 + weight) < weight)
        .count()
}

/// A Dirichlet draw. Shapes so small that all gammas underflow leave everything to the largest.
pub(super) fn dirichlet(shapes: &[f64], out: &mut [f64], rng: &mut Rng) {
    // In logarithms, as Gamma(a) = Gamma(a + 1) U^(1/a): small shapes would underflow.
    for (o, &shape) in out.iter_mut().zip(shapes) {
        let shape = shape.max(1e-12);
        let boosted = Gamma::new(shape + 1.0, 1.0).map_or(1.0, |g| g.sample(rng));
        // 1 - U lies in (0, 1].
        *o = boosted.ln() + (1.0 - rng.random::<f64>()).ln() / shape;
    }
    let most = out.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    out.iter_mut().for_each(|o| *o = (*o - most).exp());
    let sum: f64 = out.iter().sum();
    out.iter_mut().for_each(|o| *o /= sum);
}

/// log N(x_t; A x_{t-1} + b, Q) of every step and state, `[step, state]`. `None` where a Q is not positive definite.
pub(super) fn step_densities(
    paths: &[f64],
    dynamics: &[Dynamics],
    k: usize,
) -> Option<Array2<f64>> {
    let n_steps = paths.len() / k - 1;
    let mut out = Array2::zeros((n_steps, dynamics.len()));
    let columns = Columns::of(paths, k);
    let mut residual = vec![[0.0; LANES]; k];
    for (d, mut out) in dynamics.iter().zip(out.columns_mut()) {
        let mut factor = d.q.clone();
        if !cholesky(&mut factor, k) {
            return None;
        }
        let constant =
            -0.5 * k as f64 * (2.0 * std::f64::consts::PI).ln() - half_ln_det(&factor, k);
        for t in (0..n_steps).step_by(LANES) {
            let squares = vectorized(
                #[inline(always)]
                || squares(&columns, d, &factor, t, &mut residual),
            );
            for (out, squares) in out.iter_mut().skip(t).zip(squares) {
                *out = constant - 0.5 * squares;
            }
        }
    }
    Some(out)
}

/// Squared lengths of L^-1 (x_t - A x_{t-1} - b) of the steps from the bins from `t` on.
#[inline(always)]
fn squares(
    columns: &Columns,
    dynamics: &Dynamics,
    factor: &[f64],
    t: usize,
    residual: &mut [Lanes],
) -> Lanes {
    let k = residual.len();
    let mut sum = [0.0; LANES];
    for i in 0..k {
        let now = columns.lanes(i, t + 1);
        let mut own = [0.0; LANES];
        for l in 0..LANES {
            own[l] = now[l] - dynamics.b[i];
        }
        for (j, a) in dynamics.a[i * k..(i + 1) * k].iter().enumerate() {
            let before = columns.lanes(j, t);
            for l in 0..LANES {
                own[l] = (-a).mul_add(before[l], own[l]);
            }
        }
        let row = &factor[i * k..(i + 1) * k];
        for (f, other) in row[..i].iter().zip(&*residual) {
            own = less_product(own, [*f; LANES], *other);
        }
        let inverse = 1.0 / row[i];
        for l in 0..LANES {
            own[l] *= inverse;
            sum[l] = own[l].mul_add(own[l], sum[l]);
        }
        residual[i] = own;
    }
    sum
}

/// Draws the states of all steps by forward filtering and backward sampling, from a uniform start.
pub(super) fn draw_states(state: &mut ChainState, rng: &mut Rng) -> Result<Option<()>, HmmError> {
    let l = state.weights.len();
    if l == 1 {
        return Ok(Some(()));
    }
    let Some(densities) = step_densities(&state.paths, &state.dynamics, state.k()) else {
        return Ok(None);
    };
    if densities.iter().any(|v| !v.is_finite()) {
        return Ok(None);
    }
    let transition = Array2::from_shape_fn((l, l), |(i, j)| state.transitions[i * l + j]);
    let chain = HiddenChain::new(Array1::from_elem(l, 1.0 / l as f64), transition)?;
    let drawn = chain.sample(densities.view(), rng)?;
    state.states[1..].copy_from_slice(&drawn);
    state.states[0] = state.states[1];
    Ok(Some(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::{Streams, stats};

    #[test]
    fn tables_follow_the_restaurant() {
        // Mean number of tables: sum of w / (w + j).
        let mut rng = Streams::new(1).stream("tables");
        for (n, weight) in [(1, 0.3), (10, 2.0), (200, 0.7)] {
            let expected: f64 = (0..n).map(|j| weight / (weight + j as f64)).sum();
            let drawn: Vec<f64> = (0..20_000)
                .map(|_| chinese_restaurant(n, weight, &mut rng) as f64)
                .collect();
            let error = stats::sd(&drawn, 1) / (20_000f64).sqrt();
            assert!(
                (stats::mean(&drawn) - expected).abs() <= 4.0 * error + 1e-12,
                "{n} {weight}"
            );
        }
    }

    #[test]
    fn dirichlet_draws_have_their_means_even_where_gammas_underflow() {
        let mut rng = Streams::new(1).stream("dirichlet");
        for shapes in [[0.5, 1.5, 3.0], [1e-4, 2e-4, 1e-4]] {
            let total: f64 = shapes.iter().sum();
            let (mut sums, mut out) = ([0.0; 3], [0.0; 3]);
            for _ in 0..20_000 {
                dirichlet(&shapes, &mut out, &mut rng);
                assert!((out.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                sums.iter_mut()
                    .zip(out)
                    .for_each(|(s, o)| *s += o / 20_000.0);
            }
            for (s, a) in sums.iter().zip(shapes) {
                assert!((s - a / total).abs() < 0.015, "{s} {}", a / total);
            }
        }
    }

    #[test]
    fn a_step_has_the_density_of_its_state() {
        let d = Dynamics {
            a: vec![0.5, 0.0, 0.1, 1.0],
            b: vec![1.0, 0.0],
            q: vec![0.04, 0.0, 0.0, 0.25],
        };
        let found = step_densities(&[1.0, 2.0, 1.7, 1.6], &[d], 2).unwrap()[[0, 0]];
        let normal = |x: f64, sd: f64| {
            -0.5 * (x / sd).powi(2) - sd.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln()
        };
        assert!((found - normal(1.7 - 1.5, 0.2) - normal(1.6 - 2.1, 0.5)).abs() < 1e-12);
    }
}
