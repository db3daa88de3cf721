//! Series whose graphs are known: the visibility graphs of noise and of a period.

use chiasm_analysis::timeseries_graph::measures::{
    degree_distribution, degree_exponent, mean_degree,
};
use chiasm_analysis::timeseries_graph::{Graph, Series, Visibility};
use chiasm_core::Failure;
use chiasm_lab::Bench;
use rand::RngExt;

/// Degree distributions, to be drawn.
pub(super) struct Known {
    /// Of the horizontal graph of noise.
    pub horizontal: Vec<f64>,
    /// Of its natural graph.
    pub natural: Vec<f64>,
}

pub(super) fn known(n: usize, bench: &mut Bench) -> Result<Known, Failure> {
    let mut rng = bench.streams().stream("noise");
    let x: Vec<f64> = (0..n).map(|_| rng.random()).collect();
    let series = Series::even(&x, 0.0, 1.0)?;
    let horizontal = Visibility::horizontal().build(&series)?;
    let exact = |k: usize| (2.0f64 / 3.0).powi(k as i32 - 2) / 3.0;
    let shares = degree_distribution(&horizontal);
    let share = |k: usize| shares.get(k).copied().unwrap_or(0.0);
    let deviation = (2..6)
        .map(|k| (share(k) - exact(k)).abs())
        .fold(0.0, f64::max);
    bench.metric(
        "noise/horizontal/mean_degree",
        mean_degree(&horizontal),
        "1",
    )?;
    bench.metric("noise/horizontal/p_deviation", deviation, "1")?;
    if let Some((lambda, error)) = degree_exponent(&horizontal, 3) {
        bench.metric("noise/horizontal/exponent", lambda, "1")?;
        bench.metric("noise/horizontal/exponent_error", error, "1")?;
    }
    let natural = Visibility::default().build(&Series::even(&x[..n.min(3000)], 0.0, 1.0)?)?;
    bench.metric("noise/natural/mean_degree", mean_degree(&natural), "1")?;
    // Distinct values within the period, the largest of them once.
    let mut worst = 0.0f64;
    for period in [2usize, 3, 5, 8] {
        let one: Vec<f64> = (0..period)
            .map(|k| ((k * 3) % period + k) as f64 + 0.1 * k as f64)
            .collect();
        let x = one.repeat(n.div_ceil(period));
        let found = mean_degree(&Visibility::horizontal().build(&Series::even(&x, 0.0, 1.0)?)?);
        worst = worst.max((found - 4.0 * (1.0 - 0.5 / period as f64)).abs());
    }
    bench.metric("period/horizontal/mean_degree_deviation", worst, "1")?;
    Ok(Known {
        horizontal: shares,
        natural: distribution(&natural),
    })
}

fn distribution(graph: &Graph) -> Vec<f64> {
    degree_distribution(graph)
}
