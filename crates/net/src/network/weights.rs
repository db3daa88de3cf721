//! Weights out to other programs, and in from them.

use std::collections::BTreeMap;
use std::path::Path;

use chiasm_data::arrays::{write_npz, write_safetensors};
use chiasm_data::{DataError, Files, NamedArrays};
use ndarray::{ArrayD, IxDyn};

use super::{Network, Step};
use crate::Real;
use crate::train::Array;

impl<T: Real> Network<T> {
    /// The parameters by the names and in the shapes that PyTorch's `nn.Sequential` of the same layers gives them: weights
    /// `[out, in]` (of a convolution `[out, in, row, column]`, of a signal `[out, in, sample]`), biases `[out]`, the gain and shift of a norm as `weight` and `bias`, the
    /// statistics of a batch norm as `running_mean` and `running_var`. What PyTorch does not have keeps its name (`r.weight`, `alpha`).
    #[must_use]
    pub fn weights(&self) -> BTreeMap<String, ArrayD<f64>> {
        let arrays = self.arrays().zip(self.foreign());
        arrays
            .map(|(array, (name, shape))| {
                let values: Vec<f64> = array.values.iter().map(|v| v.wide()).collect();
                let values = match shape.len() {
                    1 => values,
                    _ => transposed(&values, array.shape),
                };
                let there = ArrayD::from_shape_vec(IxDyn(&shape), values);
                (name, there.expect("as many values as the shape has"))
            })
            .collect()
    }

    /// Parameters, then statistics.
    fn arrays(&self) -> impl Iterator<Item = &Array<T>> {
        let statistics = self.statistics.arrays.iter();
        self.parameters.arrays.iter().chain(statistics)
    }

    /// Name and shape of each of the arrays elsewhere.
    fn foreign(&self) -> Vec<(String, Vec<usize>)> {
        let of = |array: &Array<T>| {
            let [rows, columns] = array.shape;
            let shape = match array.name.ends_with(".weight") {
                true => vec![columns, rows],
                false => vec![rows * columns],
            };
            (foreign_name(&array.name), shape)
        };
        let mut all: Vec<_> = self.arrays().map(of).collect();
        for step in &self.steps {
            let (window, weights): (_, Vec<usize>) = match step {
                Step::Convolution { window, weight, .. } => (*window, vec![*weight]),
                Step::Quadratic(how) => match how.window {
                    Some(window) => (window, how.weights().collect()),
                    None => continue,
                },
                _ => continue,
            };
            let ([channels, height, _], [rows, columns]) = (window.image, window.size);
            for weight in weights {
                // A signal has no rows there.
                if height == 1 && rows == 1 {
                    all[weight].1.splice(1.., [channels, columns]);
                } else {
                    all[weight].1.splice(1.., [channels, rows, columns]);
                }
            }
        }
        all
    }

    /// Writes the [`Self::weights`] as safetensors, which `torch.nn.Module.load_state_dict` takes as they are, or as NPZ, by
    /// the path's extension; whole or not at all.
    ///
    /// # Errors
    /// [`DataError`] for another extension, or if the machine refuses.
    pub fn save(&self, files: &dyn Files, path: &Path) -> Result<(), DataError> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("safetensors") => write_safetensors(files, path, &self.weights()),
            Some("npz") => write_npz(files, path, &self.weights()),
            other => Err(DataError::Unsupported {
                path: path.to_path_buf(),
                format: "writing weights",
                what: format!("the extension `{}`", other.unwrap_or_default()),
                help: Some("use .safetensors or .npz".into()),
            }),
        }
    }

    /// Takes every parameter from a file of named arrays (safetensors, PyTorch's `.pt`, NPZ, HDF5, MAT), named and shaped as
    /// in [`Self::weights`].
    ///
    /// # Errors
    /// [`DataError`] naming file and array: one that is missing, of another shape, not finite, or that the network has no
    /// place for. The network then stays as it was.
    pub fn load(&mut self, path: &Path) -> Result<(), DataError> {
        let file = NamedArrays::open(path)?;
        let own: Vec<String> = self.weights().into_keys().collect();
        // PyTorch's batch norms count their batches, which changes nothing at the momentum that they have here.
        let counted = |n: &str| {
            let layer = n.strip_suffix("num_batches_tracked");
            layer.is_some_and(|l| own.binary_search(&format!("{l}running_mean")).is_ok())
        };
        let known = |n: &String| own.binary_search(n).is_ok() || counted(n);
        if let Some(extra) = file.names().iter().find(|n| !known(n)) {
            let found = "an array that no layer has a place for";
            return Err(file.fault(extra, None, format!("one of {}", own.join(", ")), found));
        }
        self.take(&file, |own| own.to_owned())
    }

    /// As [`Self::load`], where the file has names of its own: `named` gives each parameter's name in the file. Other arrays
    /// of the file are left alone.
    ///
    /// # Errors
    /// As [`Self::load`], but for arrays without a place.
    pub fn load_named(
        &mut self,
        path: &Path,
        named: impl Fn(&str) -> String,
    ) -> Result<(), DataError> {
        self.take(&NamedArrays::open(path)?, named)
    }

    fn take(
        &mut self,
        file: &NamedArrays,
        named: impl Fn(&str) -> String,
    ) -> Result<(), DataError> {
        let mut taken = vec![];
        for (array, (name, shape)) in self.arrays().zip(self.foreign()) {
            let name = named(&name);
            let values = file.numbers(&name)?;
            if values.shape() != shape {
                let found = format!("{:?}", values.shape());
                return Err(file.fault(&name, None, format!("the shape {shape:?}"), found));
            }
            if let Some(i) = values.iter().position(|v| !T::of(*v).is_finite()) {
                let bad = values.iter().nth(i).copied().unwrap_or(f64::NAN);
                return Err(file.fault(&name, Some(i), "a finite number", bad));
            }
            if array.name.ends_with(".running_var")
                && let Some(i) = values.iter().position(|v| *v < 0.0)
            {
                let bad = values.iter().nth(i).copied().unwrap_or(f64::NAN);
                return Err(file.fault(&name, Some(i), "a variance, 0 or more", bad));
            }
            let values: Vec<T> = values.iter().map(|v| T::of(*v)).collect();
            let [inputs, outputs] = array.shape;
            taken.push(match shape.len() {
                1 => values,
                _ => transposed(&values, [outputs, inputs]),
            });
        }
        let statistics = self.statistics.arrays.iter_mut();
        let arrays = self.parameters.arrays.iter_mut().chain(statistics);
        for (array, values) in arrays.zip(taken) {
            array.values = values;
        }
        Ok(())
    }
}

fn foreign_name(name: &str) -> String {
    let (layer, part) = name.rsplit_once('.').unwrap_or(("", name));
    match part {
        "gain" => format!("{layer}.weight"),
        "shift" => format!("{layer}.bias"),
        _ => name.to_owned(),
    }
}

fn transposed<V: Copy>(values: &[V], [rows, columns]: [usize; 2]) -> Vec<V> {
    let at = |k: usize| values[k % rows * columns + k / rows];
    (0..rows * columns).map(at).collect()
}
