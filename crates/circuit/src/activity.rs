//! What a network does, in a few figures: rates, irregularity, correlation.

use chiasm_core::stats;
use chiasm_data::Recording;

/// Activity of one group of units.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The group: the units' region.
    pub group: String,
    /// Number of units.
    pub n_units: usize,
    /// Number of spikes.
    pub n_spikes: usize,
    /// Mean rate over units, Hz.
    pub rate_hz: f64,
    /// Mean over units of the coefficient of variation of the intervals between spikes, of units with at least three
    /// spikes; `None` if there is no such unit. 1 for a Poisson process, 0 for a clock.
    pub cv_isi: Option<f64>,
}

/// Rates and irregularity of each region of a recording of spikes, from `from_s` on; empty for traces.
#[must_use]
pub fn summarize(recording: &Recording, from_s: f64) -> Vec<Summary> {
    let Some(spikes) = recording.spikes() else {
        return vec![];
    };
    let duration_s = spikes.stop_s - spikes.start_s.max(from_s);
    let mut groups: Vec<Summary> = vec![];
    let mut cvs: Vec<Vec<f64>> = vec![];
    for (unit, train) in recording.units().iter().zip(&spikes.times) {
        let name = unit.region.as_deref().unwrap_or_default();
        if groups.last().is_none_or(|g| g.group != name) {
            groups.push(Summary {
                group: name.into(),
                n_units: 0,
                n_spikes: 0,
                rate_hz: 0.0,
                cv_isi: None,
            });
            cvs.push(vec![]);
        }
        let train = &train[train.partition_point(|t| *t < from_s)..];
        if let (Some(group), Some(cvs)) = (groups.last_mut(), cvs.last_mut()) {
            group.n_units += 1;
            group.n_spikes += train.len();
            if train.len() >= 3 {
                let isi: Vec<f64> = train.windows(2).map(|w| w[1] - w[0]).collect();
                cvs.push(stats::sd(&isi, 0) / stats::mean(&isi));
            }
        }
    }
    for (group, cvs) in groups.iter_mut().zip(&cvs) {
        group.rate_hz = if duration_s > 0.0 {
            group.n_spikes as f64 / group.n_units as f64 / duration_s
        } else {
            0.0
        };
        group.cv_isi = (!cvs.is_empty()).then(|| stats::mean(cvs));
    }
    groups
}

/// Mean Pearson correlation between the spike counts of different units, in bins of `bin_s` from `from_s` on: of the first
/// `most` units of a region that spike then. `None` with fewer than two such units or bins.
#[must_use]
pub fn correlation(
    recording: &Recording,
    region: &str,
    most: usize,
    bin_s: f64,
    from_s: f64,
) -> Option<f64> {
    let spikes = recording.spikes()?;
    let n_bins = ((spikes.stop_s - from_s) / bin_s + 1e-9).floor();
    if !(2.0..1e8).contains(&n_bins) {
        return None;
    }
    let mut scores: Vec<Vec<f64>> = vec![];
    for (unit, train) in recording.units().iter().zip(&spikes.times) {
        if unit.region.as_deref() != Some(region) || scores.len() >= most {
            continue;
        }
        let mut counts = vec![0.0; n_bins as usize];
        for t in train.iter().filter(|t| **t >= from_s) {
            // A spike at the edge of a bin, which doubles may put below it, belongs to the bin that begins there.
            if let Some(count) = counts.get_mut(((t - from_s) / bin_s + 1e-9) as usize) {
                *count += 1.0;
            }
        }
        let (mean, sd) = (stats::mean(&counts), stats::sd(&counts, 0));
        if sd > 0.0 {
            scores.push(counts.iter().map(|c| (c - mean) / sd).collect());
        }
    }
    if scores.len() < 2 {
        return None;
    }
    // The sum over pairs from that of all units: (|sum|^2 - n |z|^2) / 2, with |z|^2 = 1 for each.
    let n = scores.len() as f64;
    let summed = (0..n_bins as usize).map(|b| scores.iter().map(|z| z[b]).sum::<f64>());
    let square = summed.map(|s| s * s).sum::<f64>() / n_bins;
    Some((square - n) / (n * (n - 1.0)))
}
