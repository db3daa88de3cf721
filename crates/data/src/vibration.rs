//! Vibrations of machines: one long signal for each condition, and the same in noise.

use std::path::Path;

use chiasm_core::{Rng, SettingError};
use rand::RngExt;
use rand_distr::StandardNormal;

use crate::arrays::NamedArrays;
use crate::error::{DataError, Place};
use crate::folder::{entries, extension};

/// How a machine vibrates in one condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Vibration {
    /// The condition, such as `12k_Drive_End_B007_0_118`.
    pub condition: String,
    /// Acceleration, sample by sample, in the unit of the file.
    pub samples: Vec<f64>,
}

impl Vibration {
    /// The same with white noise whose power is that of the signal (its mean square) less `snr_db` decibels.
    ///
    /// # Errors
    /// [`SettingError`] for a ratio beyond plus or minus 100 dB.
    ///
    /// ```
    /// use chiasm_core::Streams;
    /// use chiasm_data::vibration::Vibration;
    /// let silent = Vibration { condition: "hum".into(), samples: vec![1.0, -1.0, 1.0, -1.0] };
    /// let noisy = silent.in_noise(-6.0, &mut Streams::new(1).stream("noise"))?;
    /// assert_ne!(noisy.samples, silent.samples);
    /// # Ok::<(), chiasm_core::SettingError>(())
    /// ```
    pub fn in_noise(&self, snr_db: f64, rng: &mut Rng) -> Result<Self, SettingError> {
        let fine = (-100.0..=100.0).contains(&snr_db);
        SettingError::check(fine, "snr_db", "-100 to 100 dB", snr_db)?;
        let squares = self.samples.iter().map(|v| v * v);
        let power = squares.sum::<f64>() / self.samples.len().max(1) as f64;
        let sd = (power / 10f64.powf(snr_db / 10.0)).sqrt();
        let mut noise = || sd * rng.sample::<f64, _>(StandardNormal);
        Ok(Self {
            condition: self.condition.clone(),
            samples: self.samples.iter().map(|v| v + noise()).collect(),
        })
    }
}

/// Reads every file of a folder with named arrays in it (MAT, NPZ, HDF5), ordered by name: each is one condition, called as
/// the file without its extension. Of each the vector is taken that is called `sensor` or ends with `_{sensor}_time`, as the
/// bearing data of Case Western Reserve University have it (`X105_DE_time`; sensors `DE`, `FE`, `BA`).
///
/// # Errors
/// [`DataError`]: the folder is not there or holds no such file; a file without such a vector or with several; a sample that
/// is not finite.
pub fn vibrations(folder: &Path, sensor: &str) -> Result<Vec<Vibration>, DataError> {
    let named_arrays = |path: &Path| ["mat", "npz", "h5", "hdf5"].contains(&&*extension(path));
    let paths = entries(folder, named_arrays)?;
    if paths.is_empty() {
        let place = Place::default().in_file(folder);
        return Err(DataError::invalid(place, "MAT, NPZ or HDF5 files", "none"));
    }
    paths.iter().map(|path| one(path, sensor)).collect()
}

fn one(path: &Path, sensor: &str) -> Result<Vibration, DataError> {
    let file = NamedArrays::open(path)?;
    let ending = format!("_{sensor}_time");
    let names = file.names().iter();
    let found: Vec<&String> = names
        .filter(|n| *n == sensor || n.ends_with(&ending))
        .collect();
    let name = match found[..] {
        [name] => name,
        [] => {
            return Err(DataError::Absent {
                path: path.into(),
                wanted: format!("{sensor}` or `*{ending}"),
                available: file.names().to_vec(),
            });
        }
        [first, ..] => {
            let all: Vec<&str> = found.iter().map(|n| n.as_str()).collect();
            let expected = format!("one signal of the sensor {sensor}");
            return Err(file.fault(first, None, expected, all.join(", ")));
        }
    };
    let samples = file.vector(name)?;
    if let Some(i) = samples.iter().position(|v| !v.is_finite()) {
        return Err(file.fault(name, Some(i), "a finite number", samples[i]));
    }
    let condition = path.file_stem().unwrap_or_default();
    Ok(Vibration {
        condition: condition.to_string_lossy().into(),
        samples,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chiasm_core::Streams;
    use ndarray::ArrayD;

    use super::*;
    use crate::DiskFiles;
    use crate::arrays::write_npz;

    fn write(path: &Path, arrays: &[(&str, &[f64])]) {
        let arrays = arrays.iter().map(|(name, values)| {
            let shape = vec![values.len(), 1];
            let array = ArrayD::from_shape_vec(shape, values.to_vec()).unwrap();
            ((*name).to_owned(), array)
        });
        write_npz(&DiskFiles, path, &arrays.collect::<BTreeMap<_, _>>()).unwrap();
    }

    #[test]
    fn each_file_of_a_folder_is_a_condition_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(
            &at("b.npz"),
            &[("X1_DE_time", &[1.0, 2.0]), ("X1_FE_time", &[3.0, 4.0])],
        );
        write(&at("a.npz"), &[("DE", &[5.0]), ("RPM", &[1797.0])]);
        let found = vibrations(folder.path(), "DE").unwrap();
        let as_read: Vec<(&str, &[f64])> = found
            .iter()
            .map(|v| (v.condition.as_str(), &v.samples[..]))
            .collect();
        assert_eq!(as_read, [("a", &[5.0][..]), ("b", &[1.0, 2.0])]);
        let refused = |sensor: &str| vibrations(folder.path(), sensor).unwrap_err().to_string();
        let said = refused("FE");
        assert!(said.contains("a.npz") && said.contains("FE"), "{said}");
        write(&at("a.npz"), &[("DE", &[5.0, f64::NAN])]);
        let said = refused("DE");
        assert!(said.contains("a.npz") && said.contains("index 1"), "{said}");
        write(
            &at("a.npz"),
            &[("X1_DE_time", &[5.0]), ("X2_DE_time", &[5.0])],
        );
        assert!(refused("DE").contains("X1_DE_time, X2_DE_time"));
    }

    #[test]
    fn folders_without_signals_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let said = vibrations(folder.path(), "DE").unwrap_err().to_string();
        assert!(said.contains("found none"), "{said}");
        let missing = vibrations(&folder.path().join("no"), "DE");
        assert!(matches!(missing, Err(DataError::Io { .. })));
    }

    #[test]
    fn noise_has_the_power_that_was_asked_for() {
        let samples: Vec<f64> = (0..20_000)
            .map(|i| 3.0 * (0.1 * f64::from(i)).sin())
            .collect();
        let clean = Vibration {
            condition: "tone".into(),
            samples,
        };
        let noisy = |seed| {
            let mut rng = Streams::new(seed).stream("noise");
            clean.in_noise(-6.0, &mut rng).unwrap()
        };
        let apart = noisy(1).samples;
        let apart = apart.iter().zip(&clean.samples).map(|(a, b)| a - b);
        let power = apart.map(|v| v * v).sum::<f64>() / 20_000.0;
        // The tone has 4.5; the noise four times (3.981) as much, within four standard errors.
        let expected = 4.5 * 10f64.powf(0.6);
        assert!((power / expected - 1.0).abs() < 0.04, "{power}");
        assert_eq!(noisy(1), noisy(1));
        assert_ne!(noisy(1), noisy(2));
        let mut rng = Streams::new(1).stream("noise");
        assert_eq!(
            clean.in_noise(f64::NAN, &mut rng).unwrap_err().field,
            "snr_db"
        );
    }
}
