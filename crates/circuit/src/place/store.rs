//! Trained ensembles as files: NPZ, read by NumPy as well.
//!
//! `format` is 1; `settings` the UTF-8 codes of the settings in TOML; `shape` the rows and columns of an image; and for
//! module `k`: `place_k` (first place, number of places), `weights_k` and `delays_k` `[pixel, neuron]` (delays in steps),
//! `theta_k` (mV), `labels_k` (place within the module, -1 for none) and `block_k` (recall, spikes and active neurons of
//! the presentations that gave the labels).

use std::collections::BTreeMap;
use std::path::Path;

use chiasm_data::{Files, NamedArrays, arrays::write_npz};
use ndarray::ArrayD;

use super::module::{Assignment, rested};
use super::synapses::Synapses;
use super::{Config, Ensemble, Module, PlaceError};

const FORMAT: f64 = 1.0;
/// More places than any route has.
const MOST_PLACES: usize = 1 << 24;

impl Ensemble {
    /// Writes the ensemble to an NPZ file, whole or not at all.
    ///
    /// # Errors
    /// [`PlaceError::Data`] if the machine refuses.
    pub fn save(&self, files: &dyn Files, path: &Path) -> Result<(), PlaceError> {
        let mut arrays = BTreeMap::new();
        let mut put = |name: String, shape: &[usize], values: Vec<f64>| {
            if let Ok(array) = ArrayD::from_shape_vec(shape.to_vec(), values) {
                arrays.insert(name, array);
            }
        };
        let settings = self.modules.first().map(|m| &m.config);
        let text = settings
            .and_then(|s| toml::to_string(s).ok())
            .unwrap_or_default();
        let codes: Vec<f64> = text.bytes().map(f64::from).collect();
        put("format".into(), &[1], vec![FORMAT]);
        put("settings".into(), &[codes.len()], codes);
        let (rows, columns) = self.shape;
        put("shape".into(), &[2], vec![rows as f64, columns as f64]);
        for (k, module) in self.modules.iter().enumerate() {
            let Synapses { n_in, n, .. } = module.synapses;
            let (s, a) = (&module.synapses, &module.assignment);
            let place = [module.first_place, module.n_places()];
            put(format!("place_{k}"), &[2], place.map(|x| x as f64).to_vec());
            put(format!("weights_{k}"), &[n_in, n], s.weights.clone());
            let delays = s.delays.iter().map(|d| f64::from(*d)).collect();
            put(format!("delays_{k}"), &[n_in, n], delays);
            put(format!("theta_{k}"), &[n], s.theta.clone());
            let labels = a.place.iter().map(|p| p.map_or(-1.0, f64::from));
            put(format!("labels_{k}"), &[n], labels.collect());
            put(
                format!("block_{k}"),
                &[3],
                vec![a.recall, a.spikes, a.active],
            );
        }
        Ok(write_npz(files, path, &arrays)?)
    }

    /// Reads what [`Ensemble::save`] wrote. It answers with the same bits.
    ///
    /// # Errors
    /// [`PlaceError::Data`] naming the file and the array that is missing, of another shape or out of range.
    pub fn load(path: &Path) -> Result<Self, PlaceError> {
        let file = NamedArrays::open(path)?;
        let format = numbers(&file, "format", &[1])?[0];
        if format != FORMAT {
            let expected = format!("format {FORMAT}");
            return Err(file.fault("format", None, expected, format).into());
        }
        let codes = whole(&file, "settings", &file.vector("settings")?, 255)?;
        let bytes: Vec<u8> = codes.iter().map(|c| *c as u8).collect();
        let text = String::from_utf8_lossy(&bytes);
        let config: Config = toml::from_str(&text)
            .map_err(|e| file.fault("settings", None, "settings in TOML", e.message()))?;
        config.validate()?;
        let shape = whole(&file, "shape", &numbers(&file, "shape", &[2])?, 1 << 16)?;
        let shape = (shape[0], shape[1]);
        let mut modules = vec![];
        while file.has(&format!("place_{}", modules.len())) {
            modules.push(module(&file, modules.len(), shape.0 * shape.1, &config)?);
        }
        Ensemble::of(modules, shape)
    }
}

fn module(
    file: &NamedArrays,
    k: usize,
    n_in: usize,
    config: &Config,
) -> Result<Module, PlaceError> {
    let n = config.n_e;
    let name = |what: &str| format!("{what}_{k}");
    let place = numbers(file, &name("place"), &[2])?;
    let place = whole(file, &name("place"), &place, MOST_PLACES)?;
    let longest = config.steps(config.max_delay_ms);
    let delays = numbers(file, &name("delays"), &[n_in, n])?;
    let delays = whole(file, &name("delays"), &delays, longest)?;
    let synapses = Synapses {
        n_in,
        n,
        weights: numbers(file, &name("weights"), &[n_in, n])?,
        delays: delays.into_iter().map(|d| d as u16).collect(),
        theta: numbers(file, &name("theta"), &[n])?,
    };
    let block = numbers(file, &name("block"), &[3])?;
    let mut assignment = Assignment {
        place: vec![],
        n_neurons: vec![0; place[1]],
        recall: block[0],
        spikes: block[1],
        active: block[2],
    };
    for (j, label) in numbers(file, &name("labels"), &[n])?
        .into_iter()
        .enumerate()
    {
        let at = (label >= 0.0 && label.fract() == 0.0).then_some(label as usize);
        let neurons = at.and_then(|p| assignment.n_neurons.get_mut(p));
        match neurons {
            Some(neurons) => *neurons += 1,
            None if label == -1.0 => {}
            None => {
                let expected = format!("-1 or a place below {}", place[1]);
                return Err(file.fault(&name("labels"), Some(j), expected, label).into());
            }
        }
        assignment
            .place
            .push((label >= 0.0).then_some(label as u32));
    }
    Ok(Module {
        config: config.clone(),
        first_place: place[0],
        rested: rested(&synapses, config),
        synapses,
        assignment,
    })
}

/// An array of finite numbers and of this shape.
fn numbers(file: &NamedArrays, name: &str, shape: &[usize]) -> Result<Vec<f64>, PlaceError> {
    let array = file.numbers(name)?;
    if array.shape() != shape {
        let expected = format!("shape {shape:?}");
        let found = format!("shape {:?}", array.shape());
        return Err(file.fault(name, None, expected, found).into());
    }
    let values: Vec<f64> = array.iter().copied().collect();
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(values),
        Some(at) => Err(file
            .fault(name, Some(at), "a finite number", values[at])
            .into()),
    }
}

/// Whole numbers from 0 to `most`.
fn whole(
    file: &NamedArrays,
    name: &str,
    values: &[f64],
    most: usize,
) -> Result<Vec<usize>, PlaceError> {
    let fine = |v: &f64| v.fract() == 0.0 && (0.0..=most as f64).contains(v);
    match values.iter().position(|v| !fine(v)) {
        None => Ok(values.iter().map(|v| *v as usize).collect()),
        Some(at) => {
            let expected = format!("a whole number from 0 to {most}");
            Err(file.fault(name, Some(at), expected, values[at]).into())
        }
    }
}
