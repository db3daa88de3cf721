//! What the trained modules answer, and how right they are.

use std::ops::Range;

use chiasm_circuit::place::{
    Counts, Ensemble, Hyperactivity, disjoint, nearest, precision_recall, recall_at, sad,
};
use chiasm_core::{Failure, stats};
use chiasm_lab::Bench;
use ndarray::{Array3, ArrayView3, Axis, s};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::config::Experiment;
use super::learn::{Seen, references};

/// Numbers of best places among which the right one is sought (paper).
pub(super) const RECALL_AT: [usize; 6] = [1, 5, 10, 15, 20, 25];

/// How one way of recognizing places scores on the test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Score {
    pub(super) name: String,
    /// At [`RECALL_AT`].
    pub(super) recall: Vec<f64>,
    /// Of the first showing.
    pub(super) precision: Vec<f64>,
    pub(super) at_recall: Vec<f64>,
    /// Of the first showing, `[query][place]`.
    pub(super) responses: Vec<Vec<f64>>,
}

/// Recall at 1 under one threshold of hyperactivity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Silenced {
    pub(super) threshold: u32,
    pub(super) calibration: f64,
    pub(super) test: f64,
    /// Neurons that are silenced, as a fraction.
    pub(super) share: f64,
}

/// All that is asked of the trained modules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answers {
    /// Under each threshold that leaves a neuron, 0 first.
    pub(super) thresholds: Vec<Silenced>,
    /// The threshold that is best on the calibration.
    pub(super) chosen: u32,
    /// Silenced and not, then the baselines.
    pub(super) scores: Vec<Score>,
    /// Recall at 1 of each module among its own places, nobody silenced.
    pub(super) own: Vec<f64>,
    /// SAD's, among each module's places.
    pub(super) own_sad: Vec<f64>,
    /// Reference images that each neuron responds to, all modules.
    pub(super) n_responses: Vec<u32>,
    pub(super) n_references: usize,
    /// Most spikes of a neuron while an image was shown.
    pub(super) most_spikes: u8,
    /// Whether a threshold of 1 is refused as it silences all who respond.
    pub(super) one_is_refused: bool,
    /// Responses that differ where nobody is above a threshold.
    pub(super) differing: usize,
}

pub(super) const SILENCED: &str = "hyperactive neurons silenced";
pub(super) const PLAIN: &str = "all neurons";
pub(super) const ONE: &str = "one module for all places";
pub(super) const SAD: &str = "SAD";
pub(super) const NEAREST: &str = "nearest pixels";

pub(super) fn ask(
    config: &Experiment,
    seen: &Seen,
    ensemble: &Ensemble,
    one: Option<&Ensemble>,
    bench: &mut Bench,
) -> Result<Answers, Failure> {
    let (streams, watch) = (bench.streams(), bench.watch());
    let n_places = seen.n_places();
    let test = config.calibration_places..n_places;
    let calibration = 0..config.calibration_places;
    let places = |range: &Range<usize>| range.clone().collect::<Vec<usize>>();
    disjoint(&places(&calibration), &places(&test))?;
    let all = references(&seen.normalized, 0..n_places);
    let mut recorded = vec![];
    for (t, images) in all.iter().enumerate() {
        let streams = streams.child(&format!("reference {t}"));
        recorded.extend(ensemble.listen_all(images.view(), &streams, watch)?);
    }
    let active = Hyperactivity::of(&recorded);
    let query = &seen.normalized[seen.normalized.len() - 1];
    let shown = |who: &Ensemble, images: ArrayView3<'_, u8>, name: &str| {
        let each = (0..config.repeats).map(|k| {
            let streams = streams.child(&format!("{name} {k}"));
            who.listen_all(images.view(), &streams, watch)
        });
        each.collect::<Result<Vec<Vec<Counts>>, _>>()
    };
    let counts = shown(ensemble, query.view(), "query")?;

    let under = |threshold: u32| -> Option<Silenced> {
        let silenced = active.silenced(threshold).ok()?;
        let silenced = silenced.as_deref();
        let n: usize = silenced.map_or(0, |s| s.iter().flatten().filter(|s| **s).count());
        let neurons = active.n_responses.iter().map(Vec::len).sum::<usize>();
        let recall = |asked: Range<usize>, among: Range<usize>| {
            mean_recall(ensemble, &counts, silenced, (asked, among), 1)
        };
        Some(Silenced {
            threshold,
            // As in use: against all places.
            calibration: recall(calibration.clone(), 0..n_places),
            test: recall(test.clone(), test.clone()),
            share: n as f64 / neurons as f64,
        })
    };
    let thresholds: Vec<Silenced> = config
        .thresholds
        .par_iter()
        .filter_map(|t| under(*t))
        .collect();
    let chosen = best(&thresholds);
    let mask = active.silenced(chosen)?;

    let spiking =
        |name: &str, who: &Ensemble, counts: &[Vec<Counts>], mask: Option<&[Vec<bool>]>| {
            // The single module knows the test's places alone.
            let among = who.n_places() - test.len()..who.n_places();
            let first = responses(who, &counts[0], mask, (among.clone(), among.clone()));
            let recall = RECALL_AT
                .map(|n| mean_recall(who, counts, mask, (among.clone(), among.clone()), n));
            scored(name, first, recall.to_vec())
        };
    let mut scores = vec![
        spiking(SILENCED, ensemble, &counts, mask.as_deref()),
        spiking(PLAIN, ensemble, &counts, None),
    ];
    if let Some(one) = one {
        let images = query.slice(s![test.clone(), .., ..]);
        let counts = shown(one, images, "query of one module")?;
        scores.push(spiking(ONE, one, &counts, None));
    }
    scores.push(by_pixels(SAD, &seen.normalized, test.clone(), true));
    scores.push(by_pixels(NEAREST, &seen.raw, test.clone(), false));

    let spans = ensemble
        .modules()
        .iter()
        .map(|m| m.first_place()..m.first_place() + m.n_places());
    let spans: Vec<Range<usize>> = spans.collect();
    let own = spans
        .iter()
        .map(|span| mean_recall(ensemble, &counts, None, (span.clone(), span.clone()), 1));
    let own_sad = spans
        .iter()
        .map(|span| by_pixels(SAD, &seen.normalized, span.clone(), true).recall[0]);
    let nobody = active.silenced(active.n_images as u32 + 1)?;
    let differs =
        |c: &&Counts| ensemble.responses(c, None) != ensemble.responses(c, nobody.as_deref());
    Ok(Answers {
        chosen,
        own: own.collect(),
        own_sad: own_sad.collect(),
        n_responses: active.n_responses.iter().flatten().copied().collect(),
        n_references: active.n_images,
        most_spikes: counts
            .iter()
            .flatten()
            .chain(&recorded)
            .flatten()
            .flatten()
            .copied()
            .max()
            .unwrap_or(0),
        one_is_refused: active.silenced(1).is_err(),
        differing: counts.iter().flatten().filter(differs).count(),
        thresholds,
        scores,
    })
}

/// The threshold that is best on the calibration; of equals the one in their middle.
fn best(thresholds: &[Silenced]) -> u32 {
    let most = thresholds.iter().map(|t| t.calibration).fold(0.0, f64::max);
    let equals = thresholds.iter().filter(|t| t.calibration == most);
    let equals: Vec<u32> = equals.map(|t| t.threshold).collect();
    equals.get(equals.len() / 2).copied().unwrap_or(0)
}

/// Responses of the places `among` to the queries `asked`.
fn responses(
    ensemble: &Ensemble,
    counts: &[Counts],
    silenced: Option<&[Vec<bool>]>,
    (asked, among): (Range<usize>, Range<usize>),
) -> Vec<Vec<f64>> {
    let each = counts[asked]
        .iter()
        .map(|c| ensemble.responses(c, silenced)[among.clone()].to_vec());
    each.collect()
}

/// Recall at `n`, mean over showings.
fn mean_recall(
    ensemble: &Ensemble,
    counts: &[Vec<Counts>],
    silenced: Option<&[Vec<bool>]>,
    (asked, among): (Range<usize>, Range<usize>),
    n: usize,
) -> f64 {
    let truth: Vec<usize> = asked.clone().map(|place| place - among.start).collect();
    let each = counts.iter().map(|counts| {
        let responses = responses(ensemble, counts, silenced, (asked.clone(), among.clone()));
        recall_at(&responses, &truth, n)
    });
    stats::mean(&each.collect::<Vec<f64>>())
}

fn scored(name: &str, responses: Vec<Vec<f64>>, recall: Vec<f64>) -> Score {
    let truth: Vec<usize> = (0..responses.len()).collect();
    let curve = precision_recall(&responses, &truth);
    Score {
        name: name.into(),
        recall,
        precision: curve.precision,
        at_recall: curve.recall,
        responses,
    }
}

/// Pixels compared to the nearest reference, among the same places.
fn by_pixels(name: &str, traverses: &[Array3<u8>], places: Range<usize>, absolute: bool) -> Score {
    let references = references(traverses, places.clone());
    let queries = traverses[traverses.len() - 1].slice(s![places, .., ..]);
    let responses: Vec<Vec<f64>> = (0..queries.dim().0)
        .into_par_iter()
        .map(|q| {
            let image = queries.index_axis(Axis(0), q);
            if absolute {
                sad(image, &references)
            } else {
                nearest(image, &references)
            }
        })
        .collect();
    let truth: Vec<usize> = (0..responses.len()).collect();
    let recall = RECALL_AT.map(|n| recall_at(&responses, &truth, n));
    scored(name, responses, recall.to_vec())
}
