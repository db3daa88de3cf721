//! The arms: clusterings from several numbers of clusters, by the paper's rule and by neurons held out, with and without
//! splits; and what needs no clustering.

use chiasm_analysis::kmeans::KMeans;
use chiasm_analysis::partition::adjusted_rand;
use chiasm_core::{Failure, Inside, Streams, Watch};
use chiasm_probe::stimuli::baseline::random;
use chiasm_probe::stimuli::{self, Normalization, ResponseModel, Types};
use serde::{Deserialize, Serialize};

use super::planted::{NORM, Planted};

/// What one arm found on one set of neurons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ArmResult {
    pub(super) name: String,
    /// Agreement with the true types.
    pub(super) ari: f64,
    pub(super) n_clusters: usize,
    pub(super) course: Vec<Step>,
}

/// One iteration: clusters, mean objective, neurons moved, agreement.
pub(super) type Step = (usize, f64, usize, f64);

/// Names of the arms: the rule, the number of clusters to begin with, and whether there are splits.
pub(super) fn name(rule: &str, clusters: usize, split: bool) -> String {
    let split = if split { "-split" } else { "" };
    format!("{rule}-{clusters}{split}")
}

/// One clustering against the truth.
pub(super) fn cluster<M: ResponseModel>(
    name: &str,
    config: &stimuli::Config,
    planted: &Planted<M>,
    streams: &Streams,
    watch: &dyn Watch,
) -> Result<(ArmResult, Types), Failure> {
    let types = config.fit(
        &planted.model,
        &planted.normalization,
        &streams.child(name),
        &Inside(watch),
    )?;
    let mut course = Vec::new();
    for i in &types.iterations {
        let ari = adjusted_rand(&planted.labels, &i.labels)?;
        course.push((i.n_clusters, i.mean_value, i.changed, ari));
    }
    let result = ArmResult {
        name: name.to_owned(),
        ari: adjusted_rand(&planted.labels, &types.labels)?,
        n_clusters: types.n_clusters(),
        course,
    };
    Ok((result, types))
}

/// Neurons grouped by which of as many random stimuli as there are types drives them most.
pub(super) fn by_random_stimuli(
    model: &dyn ResponseModel,
    normalization: &Normalization,
    labels: &[usize],
    n_types: usize,
    streams: &Streams,
) -> Result<ArmResult, Failure> {
    let mut rng = streams.stream("random stimuli");
    let shown = random(n_types, model.shape().n_pixels(), NORM, &mut rng);
    let responses = normalization.responses(model, shown.view())?;
    let found: Vec<usize> = responses
        .columns()
        .into_iter()
        .map(|c| (0..c.len()).fold(0, |b, k| if c[k] > c[b] { k } else { b }))
        .collect();
    let mut used = found.clone();
    used.sort_unstable();
    used.dedup();
    Ok(ArmResult {
        name: "random-stimuli".into(),
        ari: adjusted_rand(labels, &found)?,
        n_clusters: used.len(),
        course: vec![],
    })
}

/// Neurons grouped by k-means, told the number of types, on their scores for as many random stimuli as normalize them.
pub(super) fn by_k_means(
    model: &dyn ResponseModel,
    normalization: &Normalization,
    (labels, n_types): (&[usize], usize),
    n_stimuli: usize,
    streams: &Streams,
    watch: &dyn Watch,
) -> Result<ArmResult, Failure> {
    let mut rng = streams.stream("stimuli of k-means");
    let shown = random(n_stimuli, model.shape().n_pixels(), NORM, &mut rng);
    let responses = normalization.responses(model, shown.view())?;
    let method = KMeans {
        n_clusters: n_types,
        ..KMeans::default()
    };
    let found = method.fit(responses.t(), &streams.child("k-means"), &Inside(watch))?;
    Ok(ArmResult {
        name: "k-means".into(),
        ari: adjusted_rand(labels, &found.labels)?,
        n_clusters: n_types,
        course: vec![],
    })
}
