//! The worm's wiring as recurrent weights.

use chiasm_core::{Failure, Streams};
use chiasm_data::datasets::Roots;
use chiasm_data::datasets::wiring::{Junction, Wiring};
use chiasm_lab::Bench;
use chiasm_net::recurrent::starts;
use ndarray::Array2;
use rand::seq::SliceRandom;

/// Numbers of chemical synapses among the worm's cells that both send and receive, `[from, to]`.
pub(super) fn wiring(bench: &mut Bench) -> Result<Option<Array2<f64>>, Failure> {
    let roots = Roots::from_env();
    let path = roots.locate_named("worms/connectome");
    let wiring = match path.and_then(|path| Ok(Wiring::read(&path)?)) {
        Ok(wiring) => wiring,
        Err(e) => {
            bench.note(format!("The worm's wiring was left out: {e}"));
            return Ok(None);
        }
    };
    let names: Vec<&str> = wiring.cells().iter().map(String::as_str).collect();
    let all = wiring.counts(Junction::Chemical, &names);
    let both: Vec<usize> = (0..names.len())
        .filter(|&i| all.row(i).sum() > 0.0 && all.column(i).sum() > 0.0)
        .collect();
    let counts = all
        .select(ndarray::Axis(0), &both)
        .select(ndarray::Axis(1), &both);
    bench.note(format!(
        "Of the worm's {} cells {} send and receive chemical synapses. Their signs are not known: one cell in five, drawn, inhibits.",
        names.len(),
        both.len()
    ));
    Ok(Some(counts))
}

/// One cell in five inhibits, with all of its synapses, as much in sum as the others excite; at this norm.
pub(super) fn signed(
    counts: &Array2<f64>,
    norm: f64,
    streams: &Streams,
) -> Result<Array2<f64>, Failure> {
    let n = counts.nrows();
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut streams.stream("signs"));
    let (inhibitory, excitatory) = order.split_at(n / 5);
    let sum = |cells: &[usize]| cells.iter().map(|&c| counts.row(c).sum()).sum::<f64>();
    let factor = sum(excitatory) / sum(inhibitory).max(1.0);
    let mut weights = counts.clone();
    for &c in inhibitory {
        weights.row_mut(c).mapv_inplace(|w| -w * factor);
    }
    Ok(starts::scaled(weights.view(), norm)?)
}
