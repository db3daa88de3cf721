//! Step 2, second half: the dynamics of each state, drawn from their matrix-normal-inverse-Wishart posterior.

use chiasm_core::{Rng, vectorized};
use rand_distr::{Distribution, Gamma, StandardNormal};
use statrs::function::gamma::ln_gamma;

use super::dense::{
    cholesky, half_ln_det, multiply, solve_lower_many, solve_lower_transposed_many, transposed,
};
use super::lanes::{LANES, plus_product};
use super::state::{Dynamics, NOISE};

/// Sums over the steps of one state: of z z', y z' and y y' with z = [x_{t-1}, 1] and y = x_t.
pub(super) struct Steps {
    k: usize,
    zz: Vec<f64>,
    yz: Vec<f64>,
    yy: Vec<f64>,
    n: usize,
}

impl Steps {
    pub(super) fn none(k: usize) -> Self {
        let z = k + 1;
        Self {
            k,
            zz: vec![0.0; z * z],
            yz: vec![0.0; k * z],
            yy: vec![0.0; k * k],
            n: 0,
        }
    }

    #[cfg(test)]
    fn add(&mut self, before: &[f64], now: &[f64]) {
        let (k, z) = (self.k, self.k + 1);
        for i in 0..k {
            for (s, b) in self.zz[i * z..i * z + i + 1].iter_mut().zip(before) {
                *s += before[i] * b;
            }
            for (s, b) in self.yz[i * z..i * z + k].iter_mut().zip(before) {
                *s += now[i] * b;
            }
            self.yz[i * z + k] += now[i];
            for (s, b) in self.yy[i * k..i * k + i + 1].iter_mut().zip(now) {
                *s += now[i] * b;
            }
        }
        for (s, b) in self.zz[k * z..].iter_mut().zip(before) {
            *s += b;
        }
        self.zz[k * z + k] += 1.0;
        self.n += 1;
    }

    /// Sums over the steps of each state of a path `[bin, k]`; `states[t]` governs the step into bin t.
    pub(super) fn of_states(
        path: &[f64],
        states: &[usize],
        n_states: usize,
        k: usize,
    ) -> Vec<Self> {
        // Sums of v v' with v = [x_{t-1}, 1, x_t], lower triangles in rows that fill vector registers.
        let (z, width) = (k + 1, 2 * k + 1);
        let stride = width.next_multiple_of(LANES);
        let mut sums = vec![0.0; n_states * width * stride];
        let mut counts = vec![0; n_states];
        let mut v = vec![0.0; stride];
        vectorized(
            #[inline(always)]
            || {
                for (&state, two) in states[1..].iter().zip(path.windows(2 * k).step_by(k)) {
                    v[..k].copy_from_slice(&two[..k]);
                    v[k] = 1.0;
                    v[z..width].copy_from_slice(&two[k..]);
                    counts[state] += 1;
                    let own = &mut sums[state * width * stride..(state + 1) * width * stride];
                    for (i, row) in own.chunks_exact_mut(stride).enumerate() {
                        let (row, x) = (row.as_chunks_mut().0, v.as_chunks().0);
                        for (s, x) in row.iter_mut().zip(x).take(i / LANES + 1) {
                            *s = plus_product(*s, [v[i]; LANES], *x);
                        }
                    }
                }
            },
        );
        let of_state = |(sums, n): (&[f64], usize)| {
            let mut steps = Self::none(k);
            steps.n = n;
            for i in 0..z {
                let row = &sums[i * stride..][..=i];
                steps.zz[i * z..=i * z + i].copy_from_slice(row);
            }
            for i in 0..k {
                let row = &sums[(z + i) * stride..][..width];
                steps.yz[i * z..(i + 1) * z].copy_from_slice(&row[..z]);
                steps.yy[i * k..=i * k + i].copy_from_slice(&row[z..=z + i]);
            }
            steps
        };
        sums.chunks_exact(width * stride)
            .zip(counts)
            .map(of_state)
            .collect()
    }
}

/// The posterior of one state's dynamics: [A, b] | Q ~ MN(mean, Q, (R R')^-1), Q ~ IW(degrees, L L').
struct Posterior {
    k: usize,
    /// [A, b], k x (k + 1).
    mean: Vec<f64>,
    /// R
    columns: Vec<f64>,
    /// L
    scale: Vec<f64>,
    degrees: f64,
}

impl Posterior {
    /// From the prior M0 = [I, 0], K0 = I, nu0 = k + 2, S0 = 0.01 I and these steps. `None` where rounding has left a
    /// matrix that is not positive definite.
    fn new(steps: &Steps) -> Option<Self> {
        let (k, z) = (steps.k, steps.k + 1);
        let mut columns = steps.zz.clone();
        columns.iter_mut().step_by(z + 1).for_each(|d| *d += 1.0);
        // yz + M0 K0 and yy + M0 K0 M0' + S0, with M0 K0 = [I, 0].
        let mut cross = steps.yz.clone();
        let mut scale = steps.yy.clone();
        for i in 0..k {
            cross[i * z + i] += 1.0;
            scale[i * k + i] += 1.0 + NOISE;
        }
        if !cholesky(&mut columns, z) {
            return None;
        }
        // M = cross (R R')^-1, column by column of its transpose.
        let mut half = transposed(&cross, k, z);
        solve_lower_many(&columns, &mut half, z, k);
        // S = scale - (R^-1 cross')' (R^-1 cross')
        super::dense::subtract_gram(&mut scale, &half, z, k);
        solve_lower_transposed_many(&columns, &mut half, z, k);
        let mean = transposed(&half, z, k);
        if !cholesky(&mut scale, k) {
            return None;
        }
        Some(Self {
            k,
            mean,
            columns,
            scale,
            degrees: k as f64 + 2.0 + steps.n as f64,
        })
    }

    fn draw(&self, rng: &mut Rng) -> Option<Dynamics> {
        let (k, z) = (self.k, self.k + 1);
        // Q = L B'^-1 B^-1 L', B of Bartlett: chi on the diagonal, normal below.
        let mut bartlett = vec![0.0; k * k];
        for i in 0..k {
            let degrees = self.degrees - i as f64;
            bartlett[i * k + i] = (2.0 * Gamma::new(0.5 * degrees, 1.0).ok()?.sample(rng)).sqrt();
            for b in &mut bartlett[i * k..i * k + i] {
                *b = StandardNormal.sample(rng);
            }
        }
        // E' = B^-1 L', so that Q = E E'.
        let mut root_t = transposed(&self.scale, k, k);
        solve_lower_many(&bartlett, &mut root_t, k, k);
        let root = transposed(&root_t, k, k);
        let mut q = vec![0.0; k * k];
        multiply(&root, &root_t, &mut q, k, k, k);
        // [A, b] = M + E G R^-1: the transpose is R'^-1 G' E'.
        let mut noise: Vec<f64> = (0..z * k).map(|_| StandardNormal.sample(rng)).collect();
        solve_lower_transposed_many(&self.columns, &mut noise, z, k);
        let mut shift = vec![0.0; z * k];
        multiply(&noise, &root_t, &mut shift, z, k, k);
        let (mut a, mut b) = (vec![0.0; k * k], vec![0.0; k]);
        for i in 0..k {
            for j in 0..k {
                a[i * k + j] = self.mean[i * z + j] + shift[j * k + i];
            }
            b[i] = self.mean[i * z + k] + shift[k * k + i];
        }
        let finite = a.iter().chain(&b).chain(&q).all(|v| v.is_finite());
        finite.then_some(Dynamics { a, b, q })
    }

    /// log of all that depends on the steps in their marginal density.
    fn ln_marginal(&self, n: usize) -> f64 {
        let (k, z) = (self.k as f64, self.k + 1);
        let ln_multigamma = |nu: f64| {
            (0..self.k)
                .map(|i| ln_gamma(0.5 * (nu - i as f64)))
                .sum::<f64>()
        };
        let prior = k + 2.0;
        -0.5 * n as f64 * k * std::f64::consts::PI.ln() + 0.5 * prior * k * NOISE.ln()
            - self.degrees * half_ln_det(&self.scale, self.k)
            - k * half_ln_det(&self.columns, z)
            + ln_multigamma(self.degrees)
            - ln_multigamma(prior)
    }
}

/// Dynamics drawn given their steps; from the prior where there are none.
pub(super) fn draw_dynamics(steps: &Steps, rng: &mut Rng) -> Option<Dynamics> {
    Posterior::new(steps)?.draw(rng)
}

/// log p(path) with all dynamics integrated out, given the states; the first bin is N(0, I).
pub(super) fn ln_marginal(
    path: &[f64],
    states: &[usize],
    n_states: usize,
    k: usize,
) -> Option<f64> {
    let mut sum = ln_start(&path[..k]);
    for steps in Steps::of_states(path, states, n_states, k) {
        if steps.n > 0 {
            sum += Posterior::new(&steps)?.ln_marginal(steps.n);
        }
    }
    Some(sum)
}

/// log N(x; 0, I), the density of the first bin.
pub(super) fn ln_start(x: &[f64]) -> f64 {
    let of = |x: &f64| -0.5 * (x * x + (2.0 * std::f64::consts::PI).ln());
    x.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::Streams;

    #[test]
    fn one_dimension_by_hand() {
        // z = [0.5, 1], y = 2: K = I + z z', M = ([1, 0] + y z') K^-1, S = 0.01 + y^2 + 1 - M K M'.
        let mut steps = Steps::none(1);
        steps.add(&[0.5], &[2.0]);
        let posterior = Posterior::new(&steps).unwrap();
        let (a, b, d) = (1.25, 0.5, 2.0);
        let det: f64 = a * d - b * b;
        let mean = [(2.0 * d - 2.0 * b) / det, (-2.0 * b + 2.0 * a) / det];
        assert!(
            posterior
                .mean
                .iter()
                .zip(mean)
                .all(|(x, y)| (x - y).abs() < 1e-12)
        );
        let scale = 0.01 + 4.0 + 1.0 - (2.0 * mean[0] + 2.0 * mean[1]);
        assert!((posterior.scale[0].powi(2) - scale).abs() < 1e-12);
        assert_eq!(posterior.degrees, 4.0);
        // The marginal of one step is a Student t of 3 degrees around [1, 0] z, of squared scale
        // 0.01 (1 + z' z) / 3.
        let (squared, nu) = (0.01 * 2.25 / 3.0, 3.0);
        let t = ln_gamma(2.0)
            - ln_gamma(1.5)
            - 0.5 * (nu * std::f64::consts::PI * squared).ln()
            - 2.0 * (1.0 + 1.5f64.powi(2) / (nu * squared)).ln();
        assert!(
            (posterior.ln_marginal(1) - t).abs() < 1e-10,
            "{} {t}",
            posterior.ln_marginal(1)
        );
    }

    #[test]
    fn sums_of_states_are_those_step_by_step() {
        let (k, n_states) = (5, 3);
        let path: Vec<f64> = (0..40 * k).map(|q| (q as f64 * 0.37).sin()).collect();
        let states: Vec<usize> = (0..40).map(|t| (t * t / 7) % n_states).collect();
        let found = Steps::of_states(&path, &states, n_states, k);
        for (state, found) in found.iter().enumerate() {
            let mut plain = Steps::none(k);
            for t in (1..40).filter(|t| states[*t] == state) {
                plain.add(&path[(t - 1) * k..t * k], &path[t * k..(t + 1) * k]);
            }
            assert_eq!(found.n, plain.n);
            let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
            assert!(near(&found.zz, &plain.zz) && near(&found.yz, &plain.yz));
            assert!(near(&found.yy, &plain.yy));
        }
    }

    #[test]
    fn draws_have_the_moments_of_the_posterior() {
        let mut rng = Streams::new(4).stream("dynamics");
        let mut steps = Steps::none(2);
        for t in 0..40 {
            let x = f64::from(t) * 0.3;
            steps.add(
                &[x.sin(), x.cos()],
                &[(x + 0.2).sin() + 0.1 * (7.0 * x).sin(), (x + 0.2).cos()],
            );
        }
        let posterior = Posterior::new(&steps).unwrap();
        let (n, mut a, mut squares, mut q) = (20_000, [0.0; 4], [0.0; 4], [0.0; 4]);
        for _ in 0..n {
            let d = draw_dynamics(&steps, &mut rng).unwrap();
            for i in 0..4 {
                a[i] += d.a[i] / f64::from(n);
                squares[i] += d.a[i] * d.a[i] / f64::from(n);
                q[i] += d.q[i] / f64::from(n);
            }
        }
        let mut s = vec![0.0; 4];
        multiply(
            &posterior.scale,
            &transposed(&posterior.scale, 2, 2),
            &mut s,
            2,
            2,
            2,
        );
        for i in 0..4 {
            let mean_q = s[i] / (posterior.degrees - 3.0);
            let (row, column) = (i / 2, i % 2);
            assert!((q[i] - mean_q).abs() < 0.02 * s[0].max(s[3]) / 41.0, "{i}");
            let mean = posterior.mean[row * 3 + column];
            let variance = squares[i] - a[i] * a[i];
            assert!((a[i] - mean).abs() < 4.0 * (variance / f64::from(n)).sqrt());
            // Var A_ij = E Q_ii (K^-1)_jj
            let columns = super::super::dense::inverse_of(&posterior.columns, 3);
            let expected = s[row * 3] / (posterior.degrees - 3.0) * columns[column * 4];
            assert!(
                (variance / expected - 1.0).abs() < 0.05,
                "{variance} {expected}"
            );
        }
    }

    #[test]
    fn the_prior_of_some_clusters_does_not_depend_on_the_others() {
        // k = 2 integrated to its first coordinate: the marginal of the inverse Wishart is that of k = 1.
        let mut rng = Streams::new(4).stream("prior");
        let mean = |k: usize, rng: &mut Rng| {
            let n = 40_000;
            // 1 / Q_11 given the rest has heavy tails; the median tells.
            let mut q: Vec<f64> = (0..n)
                .map(|_| draw_dynamics(&Steps::none(k), rng).unwrap().q[0])
                .collect();
            q.sort_by(f64::total_cmp);
            q[n / 2]
        };
        let (one, three) = (mean(1, &mut rng), mean(3, &mut rng));
        assert!((one / three - 1.0).abs() < 0.04, "{one} {three}");
    }
}
