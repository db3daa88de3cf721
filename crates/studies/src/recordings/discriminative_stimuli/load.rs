//! Own data: a model of neurons from a file of arrays, or models fitted to a recording and the frames that were shown.

use std::path::Path;

use chiasm_core::Failure;
use chiasm_data::arrays::csv_column;
use chiasm_data::io::{Mapping, ReadOptions, read};
use chiasm_data::{DataError, NamedArrays, Place, Recording};
use chiasm_lab::{Bench, Input};
use chiasm_probe::stimuli::receptive_fields::{self, Frames, ReceptiveFields, Regression};
use chiasm_probe::stimuli::{
    Energy, LinearNonlinear, Movie, MovieFilters, Normalization, ResponseModel, StimulusShape,
};
use ndarray::{Array2, Array3, ArrayD, Axis, Ix2};

use super::config::FitConfig;

/// A model with what is known of its neurons.
pub(super) struct Loaded {
    pub(super) model: Box<dyn ResponseModel>,
    /// A name for each neuron.
    pub(super) names: Vec<String>,
    /// Receptive fields, where the model was fitted to a recording.
    pub(super) fields: Option<ReceptiveFields>,
}

/// Names of the true types, and the true type of each neuron.
pub(super) type Known = (Vec<String>, Vec<usize>);

/// Loads the one file given, as a model or as a recording.
pub(super) fn load(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Loaded, Failure> {
    let [path] = input.paths.as_slice() else {
        let place = Place::dataset("input");
        let found = format!("{} files", input.paths.len());
        return Err(DataError::invalid(place, "one model or one recording", found).into());
    };
    if config.frames.is_none() && input.map.is_none() && holds_arrays(path) {
        let file = NamedArrays::open(path)?;
        if file.has("filters") || file.has("space") {
            let model = model(&file, config)?;
            let n = model.n_neurons();
            let names = (0..n).map(|i| i.to_string()).collect();
            return Ok(Loaded {
                model,
                names,
                fields: None,
            });
        }
    }
    of_recording(path, config, input, bench)
}

fn holds_arrays(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("npz" | "mat" | "h5" | "hdf5"))
}

/// The true type of each neuron, from the labels file or from the model's own file; with the names of the types.
pub(super) fn labels(
    config: &FitConfig,
    input: &Input,
    loaded: &Loaded,
) -> Result<Option<Known>, Failure> {
    let n = loaded.model.n_neurons();
    let (texts, path) = match &config.labels {
        Some(path) => (csv_column(path, &["label", "type", "kind"])?, path.clone()),
        None => match input.paths.first() {
            Some(path) if loaded.fields.is_none() => {
                let file = NamedArrays::open(path)?;
                if !file.has("labels") {
                    return Ok(None);
                }
                (file.texts("labels")?, path.clone())
            }
            _ => return Ok(None),
        },
    };
    // Of a recording there is a label for each unit, of which some may be left out.
    let texts: Vec<String> = match &loaded.fields {
        Some(fields) => {
            let n_units = fields.units.len() + fields.left_out.len();
            if texts.len() != n_units {
                return Err(mismatch(&path, texts.len(), n_units).into());
            }
            fields.units.iter().map(|&u| texts[u].clone()).collect()
        }
        None if texts.len() == n => texts,
        None => return Err(mismatch(&path, texts.len(), n).into()),
    };
    let mut names = texts.clone();
    names.sort();
    names.dedup();
    let label = |t: &String| names.binary_search(t).unwrap_or(0);
    let labels = texts.iter().map(label).collect();
    Ok(Some((names, labels)))
}

fn mismatch(path: &Path, found: usize, n: usize) -> DataError {
    let expected = format!("a label for each of {n} neurons");
    DataError::invalid(
        Place::dataset("labels"),
        expected,
        format!("{found} labels"),
    )
    .in_file(path)
}

/// The z-scores: from reference responses, or from the model's own.
pub(super) fn normalization(
    config: &FitConfig,
    loaded: &Loaded,
    bench: &Bench,
) -> Result<Normalization, Failure> {
    let n = loaded.model.n_neurons();
    if let Some(path) = &config.reference {
        let file = NamedArrays::open(path)?;
        let name = if file.has("responses") {
            "responses"
        } else {
            "array"
        };
        let responses = matrix(&file, name, file.numbers(name)?)?;
        if responses.ncols() != n {
            let expected = format!("[stimulus, {n}], a column for each neuron");
            let found = format!("shape {:?}", responses.shape());
            return Err(file.fault(name, None, expected, found).into());
        }
        return Normalization::from_responses(responses.view())
            .map_err(|e| Failure::from(e).about(path.display()));
    }
    let norm = config.clustering.norm.unwrap_or_else(|| {
        // As long as white noise of unit variance.
        (loaded.model.shape().n_pixels() as f64).sqrt()
    });
    let mut rng = bench.streams().stream("reference");
    Ok(Normalization::from_model(
        &*loaded.model,
        config.reference_stimuli,
        norm,
        &mut rng,
    )?)
}

fn matrix(file: &NamedArrays, name: &str, array: ArrayD<f64>) -> Result<Array2<f64>, DataError> {
    let shape = array.shape().to_vec();
    array
        .into_dimensionality::<Ix2>()
        .map_err(|_| file.fault(name, None, "two dimensions", format!("shape {shape:?}")))
}

/// `[neuron, ...]` with all but the first axis flattened.
fn flat(file: &NamedArrays, name: &str) -> Result<(Vec<usize>, Array2<f64>), DataError> {
    let array = file.numbers(name)?;
    let shape = array.shape().to_vec();
    let bad = |expected: &str| file.fault(name, None, expected, format!("shape {shape:?}"));
    let n = shape.first().copied().unwrap_or(0);
    if n == 0 || array.is_empty() {
        return Err(bad("at least one neuron and one pixel"));
    }
    if let Some(index) = array.iter().position(|v| !v.is_finite()) {
        let expected = "finite numbers";
        return Err(file.fault(name, Some(index), expected, "NaN or an infinite value"));
    }
    let values: Vec<f64> = array.iter().copied().collect();
    let columns = values.len() / n;
    let rows =
        Array2::from_shape_vec((n, columns), values).map_err(|_| bad("rows of one length"))?;
    Ok((shape, rows))
}

/// A list for each neuron, if the file has it.
fn list(file: &NamedArrays, name: &str, n: usize, default: f64) -> Result<Vec<f64>, DataError> {
    if !file.has(name) {
        return Ok(vec![default; n]);
    }
    let list = file.vector(name)?;
    if list.len() != n {
        let expected = format!("one number for each of {n} neurons");
        return Err(file.fault(name, None, expected, format!("{} numbers", list.len())));
    }
    Ok(list)
}

/// A model from arrays: `filters` (and `second`), or `space` and `time`.
fn model(file: &NamedArrays, config: &FitConfig) -> Result<Box<dyn ResponseModel>, Failure> {
    let about =
        |e: chiasm_probe::stimuli::StimuliError| Failure::from(e).about(file.path().display());
    if file.has("filters") {
        let (dims, filters) = flat(file, "filters")?;
        let n = filters.nrows();
        let shape = match dims.as_slice() {
            [_, h, w] => StimulusShape::image(*h, *w),
            [_, t, h, w] => StimulusShape::movie(1, *t, *h, *w),
            [_, c, t, h, w] => StimulusShape::movie(*c, *t, *h, *w),
            _ => {
                let expected = "[neuron, line, column], [neuron, frame, line, column] or [neuron, channel, frame, line, column]";
                let found = format!("shape {dims:?}");
                return Err(file.fault("filters", None, expected, found).into());
            }
        };
        let gains = list(file, "gains", n, 1.0)?;
        let offsets = list(file, "offsets", n, 0.0)?;
        if file.has("second") {
            let (_, second) = flat(file, "second")?;
            let model = Energy::new(
                shape,
                &filters,
                &second,
                gains,
                offsets,
                config.nonlinearity,
            );
            return Ok(Box::new(model.map_err(about)?));
        }
        let model = LinearNonlinear::new(shape, filters, config.nonlinearity)
            .and_then(|m| m.with_gains(gains))
            .and_then(|m| m.with_offsets(offsets));
        return Ok(Box::new(model.map_err(about)?));
    }
    let (dims, space) = flat(file, "space")?;
    let (time_dims, time) = flat(file, "time")?;
    let n = space.nrows();
    let (channels, height, width) = match dims.as_slice() {
        [_, h, w] => (1, *h, *w),
        [_, c, h, w] => (*c, *h, *w),
        _ => {
            let expected = "[neuron, line, column] or [neuron, channel, line, column]";
            let found = format!("shape {dims:?}");
            return Err(file.fault("space", None, expected, found).into());
        }
    };
    let lags = *time_dims.last().unwrap_or(&0);
    if time.nrows() != n || time.ncols() != channels * lags {
        let expected = format!("[{n}, lag] or [{n}, {channels}, lag], as the filters in space");
        let found = format!("shape {time_dims:?}");
        return Err(file.fault("time", None, expected, found).into());
    }
    let frames = config.frames_of_stimulus.unwrap_or(2 * lags);
    let part = |all: &Array2<f64>, c: usize, width: usize| {
        all.slice(ndarray::s![.., c * width..(c + 1) * width])
            .to_owned()
    };
    let filters = MovieFilters {
        space: (0..channels)
            .map(|c| part(&space, c, height * width))
            .collect(),
        time: (0..channels).map(|c| part(&time, c, lags)).collect(),
        gains: list(file, "gains", n, 1.0)?,
        offsets: list(file, "offsets", n, 0.0)?,
    };
    let shape = StimulusShape::movie(channels, frames, height, width);
    let from = config.window_from.unwrap_or(frames / 2);
    let model = Movie::new(shape, filters, config.nonlinearity, from..frames);
    Ok(Box::new(model.map_err(about)?))
}

fn of_recording(
    path: &Path,
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Loaded, Failure> {
    let map = input
        .map
        .as_deref()
        .map(Mapping::from_argument)
        .transpose()?;
    let options = ReadOptions {
        map,
        missing: input.missing,
        ..ReadOptions::default()
    };
    let recording = read(path, &options)?;
    bench.repaired(&recording);
    let frames = match &config.frames {
        Some(file) => frames_of_file(file)?,
        None => frames_of_channels(&recording).map_err(|e| e.in_file(path))?,
    };
    let how = Regression {
        lags: config.lags,
        ridge: config.ridge,
        nonlinearity: config.nonlinearity,
        center: config.center,
        least_correlation: config.least_correlation,
    };
    let fields = receptive_fields::fit(&recording, &frames, &how, bench.watch())
        .map_err(|e| Failure::from(e).about(path.display()))?;
    let stimulus = config.frames_of_stimulus.unwrap_or(2 * config.lags);
    let from = config.window_from.unwrap_or(stimulus / 2);
    let model = fields
        .model(stimulus, from)
        .map_err(|e| Failure::from(e).about(path.display()))?;
    let name = |&u: &usize| recording.units()[u].name().to_owned();
    let names = fields.units.iter().map(name).collect();
    if !fields.left_out.is_empty() {
        let listed: Vec<String> = fields
            .left_out
            .iter()
            .take(20)
            .map(|(u, r)| {
                let why = if r.is_nan() {
                    "no variance".to_owned()
                } else {
                    format!("correlation {r:.2}")
                };
                format!("{} ({why})", recording.units()[*u].name())
            })
            .collect();
        bench.note(format!(
            "{} of {} units are left out, since their receptive fields do not predict held-out responses: {}{}",
            fields.left_out.len(),
            recording.n_units(),
            listed.join(", "),
            if fields.left_out.len() > 20 { ", ..." } else { "" }
        ));
    }
    Ok(Loaded {
        model,
        names,
        fields: Some(fields),
    })
}

fn frames_of_file(path: &Path) -> Result<Frames, DataError> {
    let file = NamedArrays::open(path)?;
    let array = file.numbers("frames")?;
    let shape = array.shape().to_vec();
    let values = array.into_dimensionality::<ndarray::Ix3>().map_err(|_| {
        let expected = "[frame, line, column]";
        file.fault("frames", None, expected, format!("shape {shape:?}"))
    })?;
    let times_s = file.vector("frame_times")?;
    if times_s.len() != values.len_of(Axis(0)) {
        let expected = format!("a time for each of {} frames", values.len_of(Axis(0)));
        let found = format!("{} times", times_s.len());
        return Err(file.fault("frame_times", None, expected, found));
    }
    Ok(Frames { values, times_s })
}

/// Frames from covariates named `pixel:LINE:COLUMN`.
fn frames_of_channels(recording: &Recording) -> Result<Frames, DataError> {
    let place = |name: &str| -> Option<(usize, usize)> {
        let (line, column) = name.strip_prefix("pixel:")?.split_once(':')?;
        Some((line.parse().ok()?, column.parse().ok()?))
    };
    let channels = recording.covariates();
    let pixels: Vec<(usize, usize, usize)> = channels
        .iter()
        .enumerate()
        .filter_map(|(i, c)| place(&c.name).map(|(y, x)| (y, x, i)))
        .collect();
    let Some(&(.., first)) = pixels.first() else {
        let names: Vec<&str> = channels.iter().take(8).map(|c| c.name.as_str()).collect();
        let found = if names.is_empty() {
            "no covariate".to_owned()
        } else {
            format!("the covariates {}", names.join(", "))
        };
        let error = DataError::invalid(
            Place::dataset("stimulus frames"),
            "frames=FILE.npz, or covariates named pixel:LINE:COLUMN",
            found,
        );
        return Err(error.with_help(
            "receptive fields need the frames that were shown: give them with --set frames=FILE.npz (frames [frame, line, \
             column] and frame_times in s), or give a fitted model (filters [neuron, line, column])",
        ));
    };
    let height = pixels.iter().map(|p| p.0).max().unwrap_or(0) + 1;
    let width = pixels.iter().map(|p| p.1).max().unwrap_or(0) + 1;
    let time = &channels[first].time;
    if pixels.len() != height * width {
        let found = format!("{} covariates for {height} x {width} pixels", pixels.len());
        let place = Place::dataset("stimulus frames");
        return Err(DataError::invalid(
            place,
            "a covariate for each pixel",
            found,
        ));
    }
    let mut values = Array3::zeros((time.len(), height, width));
    for (y, x, i) in pixels {
        let channel = &channels[i];
        if channel.time != *time {
            let place = Place::dataset(&channel.name);
            let expected = format!("the times of `{}`", channels[first].name);
            return Err(DataError::invalid(place, expected, "other times"));
        }
        for (t, v) in channel.values.iter().enumerate() {
            values[[t, y, x]] = *v;
        }
    }
    Ok(Frames {
        values,
        times_s: time.to_vec(),
    })
}
