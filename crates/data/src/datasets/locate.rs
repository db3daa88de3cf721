//! Where a data set lies on this machine.

use std::path::{Path, PathBuf};

use super::{DataSet, FetchError};

/// The folders in which data sets are looked for, in this order: the one named in the environment variable
/// `CHIASM_DATA`, then the user's cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roots {
    /// Named in `CHIASM_DATA`.
    pub named: Option<PathBuf>,
    /// `chiasm/data` in the user's cache folder.
    pub cache: Option<PathBuf>,
    /// Whether to look also where packages of the system put data sets.
    pub system: bool,
}

impl Roots {
    /// The folders of this process's environment.
    #[must_use]
    pub fn from_env() -> Self {
        let named = std::env::var_os("CHIASM_DATA")
            .filter(|v| !v.is_empty())
            .map(PathBuf::from);
        let cache = directories::ProjectDirs::from("", "", "chiasm")
            .map(|dirs| dirs.cache_dir().join("data"));
        Self {
            named,
            cache,
            system: true,
        }
    }

    /// Where [`super::get`] puts a data set: below `CHIASM_DATA` if it is set, else in the user's cache.
    ///
    /// # Errors
    /// [`FetchError::NoFolder`] if there is neither.
    pub fn home(&self, set: &DataSet) -> Result<PathBuf, FetchError> {
        let root = self.named.as_ref().or(self.cache.as_ref());
        Ok(root.ok_or(FetchError::NoFolder)?.join(set.folder))
    }

    /// The folders in which this data set may lie, in the order of the search.
    #[must_use]
    pub fn folders(&self, set: &DataSet) -> Vec<PathBuf> {
        let ours = self.named.iter().chain(&self.cache);
        let mut folders: Vec<PathBuf> = ours.map(|root| root.join(set.folder)).collect();
        if self.system {
            folders.extend(set.system_folders.iter().map(PathBuf::from));
        }
        folders
    }

    /// The files of a data set: all from the first folder that holds every one of them.
    ///
    /// A gzip file also counts when it lies there unpacked, without `.gz`. Only presence is checked, not the contents:
    /// see [`super::verify`].
    ///
    /// # Errors
    /// [`FetchError::Missing`] with the folders searched; the file it names is the first one missing in the folder that
    /// holds most of them.
    pub fn locate(&self, set: &DataSet) -> Result<Located, FetchError> {
        let folders = self.folders(set);
        let mut nearest = (0, set.files[0].name);
        for folder in &folders {
            let paths: Vec<Option<PathBuf>> =
                set.files.iter().map(|f| present(folder, f.name)).collect();
            match paths.iter().position(Option::is_none) {
                None => {
                    return Ok(Located {
                        folder: folder.clone(),
                        paths: paths.into_iter().flatten().collect(),
                    });
                }
                Some(missing) => {
                    let n_here = paths.iter().flatten().count();
                    if n_here > nearest.0 {
                        nearest = (n_here, set.files[missing].name);
                    }
                }
            }
        }
        Err(FetchError::Missing {
            name: set.name.into(),
            file: nearest.1.into(),
            looked: folders,
        })
    }

    /// One file of a data set, which need not be there as a whole.
    ///
    /// # Errors
    /// [`FetchError::Missing`] with the folders searched.
    pub fn locate_file(&self, set: &DataSet, name: &str) -> Result<PathBuf, FetchError> {
        let folders = self.folders(set);
        let found = folders.iter().find_map(|folder| present(folder, name));
        found.ok_or_else(|| FetchError::Missing {
            name: set.name.into(),
            file: name.into(),
            looked: folders,
        })
    }
}

/// A data set found on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The folder it lies in.
    pub folder: PathBuf,
    /// Its files, in the order of [`DataSet::files`].
    pub paths: Vec<PathBuf>,
}

fn present(folder: &Path, name: &str) -> Option<PathBuf> {
    let packed = folder.join(name);
    if packed.is_file() {
        return Some(packed);
    }
    let unpacked = folder.join(name.strip_suffix(".gz")?);
    unpacked.is_file().then_some(unpacked)
}

/// A file or folder of real data for tests: looked for in `CHIASM_DATA`, then in `../shared/data` beside a development
/// checkout. `None` where neither holds it: run on a generator then, and say so.
///
/// For tests alone: it relies on the variable that cargo sets for them.
#[doc(hidden)]
#[must_use]
pub fn test_data(relative: &str) -> Option<PathBuf> {
    let named = std::env::var_os("CHIASM_DATA").map(PathBuf::from);
    let checkout = std::env::var_os("CARGO_MANIFEST_DIR").and_then(|here| {
        let here = PathBuf::from(here);
        let root = here.ancestors().find(|a| a.join("Cargo.lock").is_file())?;
        Some(root.parent()?.join("shared").join("data"))
    });
    named
        .into_iter()
        .chain(checkout)
        .map(|root| root.join(relative))
        .find(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::find;
    use std::fs;

    #[test]
    fn the_named_folder_comes_before_the_cache_and_sets_are_never_mixed() {
        let temp = tempfile::tempdir().unwrap();
        let set = find("mnist").unwrap();
        let roots = Roots {
            named: Some(temp.path().join("named")),
            cache: Some(temp.path().join("cache")),
            system: true,
        };
        for root in ["named", "cache"] {
            fs::create_dir_all(temp.path().join(root).join("mnist")).unwrap();
        }
        let put = |root: &str, name: &str| {
            fs::write(temp.path().join(root).join("mnist").join(name), b"x").unwrap();
        };
        let missing = roots.locate(set).unwrap_err().to_string();
        assert!(missing.contains("train-images") && missing.contains("named"));
        // Three files in the first folder and one in the second do not make a data set.
        for file in &set.files[..3] {
            put("named", file.name);
        }
        put("cache", set.files[3].name);
        let missing = roots.locate(set).unwrap_err().to_string();
        assert!(missing.contains("t10k-labels"), "{missing}");
        assert!(roots.locate_file(set, set.files[3].name).is_ok());
        for file in set.files {
            put("cache", file.name);
        }
        let found = roots.locate(set).unwrap();
        assert_eq!(found.folder, temp.path().join("cache").join("mnist"));
        // Unpacked counts too.
        put("named", "t10k-labels-idx1-ubyte");
        let found = roots.locate(set).unwrap();
        assert_eq!(found.folder, temp.path().join("named").join("mnist"));
        assert!(found.paths[3].ends_with("t10k-labels-idx1-ubyte"));
    }

    #[test]
    fn get_writes_to_the_named_folder_if_there_is_one() {
        let set = find("worms").unwrap();
        let mut roots = Roots {
            named: Some("/n".into()),
            cache: Some("/c".into()),
            system: false,
        };
        assert_eq!(roots.home(set).unwrap(), Path::new("/n/worm"));
        roots.named = None;
        assert_eq!(roots.home(set).unwrap(), Path::new("/c/worm"));
        roots.cache = None;
        assert!(matches!(roots.home(set), Err(FetchError::NoFolder)));
    }
}
