//! What lies in a folder.

use std::path::{Path, PathBuf};

use crate::error::DataError;

/// The error of reading a file or folder.
pub(crate) fn reading(path: &Path) -> impl Fn(std::io::Error) -> DataError {
    let path = path.to_path_buf();
    move |source| DataError::Io {
        path: path.clone(),
        action: "read",
        source,
    }
}

/// All that lies in a folder and is wanted, by name, so that no order of the disk's shows.
pub(crate) fn entries(
    folder: &Path,
    wanted: impl Fn(&Path) -> bool,
) -> Result<Vec<PathBuf>, DataError> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).map_err(reading(folder))? {
        let path = entry.map_err(reading(folder))?.path();
        if wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The extension of a file, in lower case; empty without one.
pub(crate) fn extension(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default();
    extension.to_string_lossy().to_lowercase()
}
