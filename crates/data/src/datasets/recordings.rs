//! Recordings and RDMs of registered data sets by name, such as `worms/2022-07-26-31`.

use std::path::PathBuf;

use super::{DataSet, FetchError, RemoteFile, Roots, find};
use crate::io::{self, ReadOptions};
use crate::rdm::{self, ReadRdms};
use crate::{Rdms, Recording};

/// The registered file that `SET/START` names, where START is its name or enough of its beginning.
///
/// # Errors
/// [`FetchError::Unknown`] if there is no such data set; [`FetchError::UnknownFile`] if not exactly one of its files
/// begins so.
pub fn file_named(name: &str) -> Result<(&'static DataSet, &'static RemoteFile), FetchError> {
    let (set, start) = name.split_once('/').unwrap_or((name, ""));
    let set = find(set)?;
    let mut matching = set.files.iter().filter(|f| f.name.starts_with(start));
    match (matching.next(), matching.next()) {
        (Some(file), None) => Ok((set, file)),
        _ => match set.files.iter().find(|f| f.name == start) {
            Some(file) => Ok((set, file)),
            None => Err(FetchError::UnknownFile {
                set: set.name.into(),
                given: start.into(),
                files: set.files.iter().map(|f| f.name).collect(),
            }),
        },
    }
}

impl Roots {
    /// Where the registered file of this name (see [`file_named`]) lies on this machine.
    ///
    /// # Errors
    /// As [`file_named`]; [`FetchError::Missing`] if it is not here.
    pub fn locate_named(&self, name: &str) -> Result<PathBuf, FetchError> {
        let (set, file) = file_named(name)?;
        self.locate_file(set, file.name)
    }
}

/// Reads a recording of a registered data set by name, such as `worms/2022-07-26-31`.
///
/// # Errors
/// As [`Roots::locate_named`], and [`FetchError::Data`] if the file is no recording.
pub fn recording(
    name: &str,
    roots: &Roots,
    options: &ReadOptions,
) -> Result<Recording, FetchError> {
    Ok(io::read(roots.locate_named(name)?, options)?)
}

/// Reads the RDMs in a file of a registered data set by name, such as `rdms/92_brainRDMs`.
///
/// # Errors
/// As [`Roots::locate_named`], and [`FetchError::Data`] if the file holds no RDMs.
pub fn rdms(name: &str, roots: &Roots, how: &ReadRdms) -> Result<Rdms, FetchError> {
    Ok(rdm::read(&[roots.locate_named(name)?], how)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::test_data;

    #[test]
    fn a_file_is_known_by_the_beginning_of_its_name() {
        let file = |name| file_named(name).map(|(_, file)| file.name);
        assert_eq!(
            file("worms/2022-07-26-31").unwrap(),
            "2022-07-26-31-data.h5"
        );
        assert_eq!(
            file("worms/conn").unwrap(),
            "connectome-white-1986-whole.json"
        );
        assert_eq!(file("rdms/92_brainRDMs.mat").unwrap(), "92_brainRDMs.mat");
        for vague in ["worms", "worms/", "worms/2022-07-26", "worms/x"] {
            let error = file(vague).unwrap_err();
            assert!(matches!(&error, FetchError::UnknownFile { .. }), "{error}");
        }
        assert!(matches!(file("worm/2022"), Err(FetchError::Unknown { .. })));
    }

    #[test]
    fn a_worm_is_read_by_name() {
        let Some(folder) = test_data("worm") else {
            eprintln!("skipped: the worm recordings are not on this machine");
            return;
        };
        let roots = Roots {
            named: folder.parent().map(Into::into),
            ..Roots::default()
        };
        let worm = recording("worms/2022-07-26-31", &roots, &ReadOptions::default()).unwrap();
        let traces = worm.traces().unwrap();
        assert_eq!(traces.time.len(), 800);
        assert!((140..=150).contains(&worm.n_units()), "{}", worm.n_units());
        assert!(worm.covariate("velocity").is_some());
    }

    #[test]
    fn rdms_are_read_by_name() {
        let Some(folder) = test_data("rsa") else {
            eprintln!("skipped: the RDMs are not on this machine");
            return;
        };
        let roots = Roots {
            named: folder.parent().map(Into::into),
            ..Roots::default()
        };
        // RDMs and stimuli, as the files' own variables have them.
        for (name, n_rdms, n_stimuli) in [
            ("rdms/92_brainRDMs", 8, 92),
            ("rdms/92_behavRDMs", 16, 92),
            ("rdms/92_modelRDMs", 8, 92),
            ("rdms/modelRDMs_A2020", 63, 92),
        ] {
            let rdms = rdms(name, &roots, &ReadRdms::default()).unwrap();
            assert_eq!(
                (rdms.len(), rdms.n_stimuli()),
                (n_rdms, n_stimuli),
                "{name}"
            );
        }
    }
}
