//! Features with the classes of their samples, from files of arrays or from recordings with labeled epochs.

use std::path::Path;

use chiasm_core::{Failure, SettingError, TimeAxis};
use chiasm_data::arrays::csv_column;
use chiasm_data::{Activity, DataError, Epoch, NamedArrays, Place, Recording};
use chiasm_lab::{Bench, Input};
use ndarray::{Array2, Ix2};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What of a recording's epoch is one sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PerEpoch {
    /// Its mean: one sample for each epoch.
    #[default]
    Mean,
    /// Every frame in it, of traces.
    Frames,
}

/// Features of samples of known classes.
pub(crate) struct Samples {
    /// File, and region where it has several.
    pub(crate) name: String,
    /// `[sample, feature]`
    pub(crate) x: Array2<f64>,
    /// Class of each sample.
    pub(crate) labels: Vec<usize>,
    /// Number of classes.
    pub(crate) n_classes: usize,
    /// Weights of the classifier on them, `[class, feature]`.
    pub(crate) weights: Option<Array2<f64>>,
}

/// Which arrays of a file are meant.
pub(crate) struct Names<'a> {
    pub(crate) labels: Option<&'a Path>,
    pub(crate) features: Option<&'a str>,
    pub(crate) weights: Option<&'a str>,
}

/// Features, labels and perhaps a classifier from one file of arrays.
pub(crate) fn of_arrays(path: &Path, names: &Names<'_>) -> Result<Samples, Failure> {
    let file = NamedArrays::open(path)?;
    let only = match file.names() {
        [one] => one.as_str(),
        _ => "features",
    };
    let variable = names.features.unwrap_or(only);
    let x = matrix(&file, variable, "features, [sample, feature]")?;
    let found = match names.labels {
        Some(path) => class_list(path)?,
        None => {
            let values = file.vector("labels")?;
            whole(&values, |i, v| {
                file.fault("labels", Some(i), "the number of a class, from 0", v)
            })?
        }
    };
    let weights = match names.weights {
        Some(name) => Some(matrix(&file, name, "weights, [class, feature]")?),
        None if file.has("weights") => Some(matrix(&file, "weights", "weights, [class, feature]")?),
        None => None,
    };
    Ok(Samples {
        name: stem(path),
        n_classes: n_classes(&found, weights.as_ref()),
        x,
        labels: found,
        weights,
    })
}

fn n_classes(labels: &[usize], weights: Option<&Array2<f64>>) -> usize {
    let by_labels = labels.iter().max().map_or(0, |m| m + 1);
    weights.map_or(by_labels, |w| by_labels.max(w.nrows()))
}

pub(crate) fn matrix(
    file: &NamedArrays,
    name: &str,
    expected: &str,
) -> Result<Array2<f64>, Failure> {
    let values = file.numbers(name)?;
    let shape = format!("an array of shape {:?}", values.shape());
    let matrix = values.into_dimensionality::<Ix2>();
    Ok(matrix.map_err(|_| file.fault(name, None, expected, shape))?)
}

/// Labels from a file of their own: numbers of classes, or, in a CSV file, names, which are numbered in their order.
fn class_list(path: &Path) -> Result<Vec<usize>, Failure> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    if extension.as_deref() != Some("csv") {
        let file = NamedArrays::open(path)?;
        let name = match file.names() {
            [one] => one.clone(),
            _ => "labels".into(),
        };
        let values = file.vector(&name)?;
        return whole(&values, |i, v| {
            file.fault(&name, Some(i), "the number of a class, from 0", v)
        });
    }
    let texts = csv_column(path, &["label", "class"])?;
    let numbers: Option<Vec<usize>> = texts.iter().map(|t| t.parse().ok()).collect();
    Ok(numbers.unwrap_or_else(|| numbered(&texts).0))
}

/// For each text its place among the distinct ones, and these.
fn numbered(texts: &[String]) -> (Vec<usize>, Vec<String>) {
    let mut names = texts.to_vec();
    names.sort();
    names.dedup();
    let place = |t: &String| names.binary_search(t).unwrap_or(0);
    (texts.iter().map(place).collect(), names)
}

/// Numbers of classes; a fault for what is none.
pub(crate) fn whole(
    values: &[f64],
    fault: impl Fn(usize, f64) -> DataError,
) -> Result<Vec<usize>, Failure> {
    let each = values.iter().enumerate().map(|(i, &v)| {
        let is_class = (0.0..=f64::from(u32::MAX)).contains(&v) && v.fract() == 0.0;
        if is_class {
            Ok(v as usize)
        } else {
            Err(fault(i, v).into())
        }
    });
    each.collect()
}

/// One set of samples for each region of each recording's unit table; the labels of its epochs are the classes.
pub(crate) fn of_recordings(
    input: &Input,
    (kind, per_epoch): (&str, PerEpoch),
    bench: &mut Bench,
) -> Result<Vec<Samples>, Failure> {
    let mut all = vec![];
    for (path, recording) in input.paths.iter().zip(input.recordings(bench)?) {
        let own = of_recording(&recording, path, kind, per_epoch);
        all.extend(own.map_err(|e| e.about(path.display()))?);
    }
    Ok(all)
}

fn of_recording(
    recording: &Recording,
    path: &Path,
    kind: &str,
    per_epoch: PerEpoch,
) -> Result<Vec<Samples>, Failure> {
    let epochs: Vec<&Epoch> = recording.epochs_of(kind).collect();
    if epochs.is_empty() {
        let place = Place::dataset(format!("epochs `{kind}`"));
        return Err(DataError::invalid(place, "labeled epochs", "none").into());
    }
    let mut rows: Vec<Vec<f64>> = vec![];
    let mut texts = vec![];
    for (i, epoch) in epochs.iter().enumerate() {
        let place = || Place::dataset(format!("epochs `{kind}`")).index(i);
        if epoch.label.is_empty() {
            return Err(DataError::invalid(place(), "a label, the class", "none").into());
        }
        let own = samples(recording, epoch, per_epoch, place)?;
        texts.extend(std::iter::repeat_n(epoch.label.clone(), own.len()));
        rows.extend(own);
    }
    let (labels, names) = numbered(&texts);
    let region = |u: usize| recording.units()[u].region.clone().unwrap_or_default();
    let mut regions: Vec<String> = vec![];
    for u in 0..recording.n_units() {
        if !regions.contains(&region(u)) {
            regions.push(region(u));
        }
    }
    let each = regions.iter().map(|name| {
        let units: Vec<usize> = (0..recording.n_units())
            .filter(|&u| region(u) == *name)
            .collect();
        let x = Array2::from_shape_fn((rows.len(), units.len()), |(i, j)| rows[i][units[j]]);
        Samples {
            name: if name.is_empty() {
                stem(path)
            } else {
                format!("{} {name}", stem(path))
            },
            x,
            labels: labels.clone(),
            n_classes: names.len(),
            weights: None,
        }
    });
    Ok(each.collect())
}

/// The samples of one epoch, a row of all units for each.
fn samples(
    recording: &Recording,
    epoch: &Epoch,
    per_epoch: PerEpoch,
    place: impl Fn() -> Place,
) -> Result<Vec<Vec<f64>>, Failure> {
    match recording.activity() {
        Activity::Traces(traces) => {
            let (from, to) = (
                first_at(&traces.time, epoch.start_s),
                first_at(&traces.time, epoch.stop_s),
            );
            let frames: Vec<Vec<f64>> = (from..to)
                .map(|t| traces.values.row(t).iter().map(|v| f64::from(*v)).collect())
                .collect();
            if frames.is_empty() {
                return Err(DataError::invalid(place(), "samples in the epoch", "none").into());
            }
            if per_epoch == PerEpoch::Frames {
                return Ok(frames);
            }
            let mut mean = vec![0.0; recording.n_units()];
            for frame in &frames {
                mean.iter_mut().zip(frame).for_each(|(m, v)| *m += v);
            }
            mean.iter_mut().for_each(|m| *m /= frames.len() as f64);
            Ok(vec![mean])
        }
        Activity::Spikes(spikes) => {
            if per_epoch == PerEpoch::Frames {
                let expected = "mean: spikes have no frames";
                return Err(SettingError::new("per_epoch", expected, "frames").into());
            }
            let seconds = epoch.stop_s - epoch.start_s;
            if seconds <= 0.0 {
                return Err(DataError::invalid(place(), "an epoch of some length", seconds).into());
            }
            let rate = |train: &Vec<f64>| {
                let before = |t: f64| train.partition_point(|&x| x < t);
                (before(epoch.stop_s) - before(epoch.start_s)) as f64 / seconds
            };
            Ok(vec![spikes.times.iter().map(rate).collect()])
        }
    }
}

/// The first sample not before `start`.
fn first_at(time: &TimeAxis, start: f64) -> usize {
    let (mut low, mut high) = (0, time.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        if time.at(middle) < start {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
    stem.unwrap_or_default()
}
