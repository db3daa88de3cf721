//! A run's folder: made once, held by one process, never overwritten.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chiasm_core::Failure;
use chiasm_data::files::write_atomic;
use chiasm_data::{DataError, Files};
use serde::Serialize;

use super::past::read;
use super::plan::{Plan, hash};
use super::provenance::Build;
use super::record::{RunRecord, Status};
use super::{RunError, input};

/// Where a new run goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Below this folder, as `STUDY/TIME-HASH`.
    Under(PathBuf),
    /// Into this very folder, which must be new or empty.
    At(PathBuf),
}

/// A run's folder, held by this process alone until it is dropped.
pub struct Run {
    pub(super) path: PathBuf,
    pub(super) files: Arc<dyn Files>,
    pub(super) record: RunRecord,
    pub(super) build: Build,
    _hold: Hold,
}

impl Run {
    /// Makes the folder of a new run. Its record stands in it, as `running`, before any work begins.
    ///
    /// # Errors
    /// What is wrong with the plan; a folder that holds a run or other files; a disk that refuses.
    pub fn create(plan: &Plan<'_>, place: &Place, files: Arc<dyn Files>) -> Result<Self, Failure> {
        let record = plan.record()?;
        let (path, hold) = match place {
            Place::At(path) => (path.clone(), claim(path, &*files)?),
            Place::Under(root) => {
                let time = record.provenance.started.replace(['-', ':'], "");
                let name = format!("{time}-{}", hash(&record));
                free_folder(&root.join(&record.study.name), &name, &*files)?
            }
        };
        let run = Self {
            path,
            files,
            record,
            build: plan.build.clone(),
            _hold: hold,
        };
        run.write_config()?;
        run.write_record()?;
        Ok(run)
    }

    /// Takes up the run in `path` where it stands.
    ///
    /// # Errors
    /// No run there, or a damaged one; another process working on it; data files that have changed.
    pub fn resume(path: &Path, build: &Build, files: Arc<dyn Files>) -> Result<Self, Failure> {
        // Before the lock, so that a folder without a run is left as it is.
        read(path)?;
        let hold = Hold::take(path)?;
        // Again under the lock: another process may have finished it in between.
        let mut record = read(path)?;
        if record.status != Status::Finished {
            input::unchanged(&record.provenance.data)?;
            sweep(path, &*files);
            record.provenance.stamp(build);
            record.provenance.resumed += 1;
            record.status = Status::Running;
            record.error = None;
        }
        let run = Self {
            path: path.to_path_buf(),
            files,
            record,
            build: build.clone(),
            _hold: hold,
        };
        if run.record.status == Status::Finished {
            run.drop_traces();
        } else {
            run.write_config()?;
            run.write_record()?;
        }
        Ok(run)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is known so far.
    #[must_use]
    pub fn record(&self) -> &RunRecord {
        &self.record
    }

    pub(super) fn write_record(&self) -> Result<(), Failure> {
        self.write_json("run.json", &self.record)
    }

    fn write_config(&self) -> Result<(), Failure> {
        let settings = crate::settings::to_toml(&self.record.config)?;
        let head = format!(
            "# Settings of a run of `{}`, preset {}; chiasm run format {}.\n",
            self.record.study.name,
            super::outputs::word(&self.record.preset),
            super::FORMAT
        );
        self.write("config.toml", (head + &settings).as_bytes())
    }

    pub(super) fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(value).map_err(|e| RunError::Damaged {
            path: self.path.join(name),
            reason: e.to_string(),
        })?;
        text.push('\n');
        self.write(name, text.as_bytes())
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        write_atomic(&*self.files, &self.path.join(name), bytes)?;
        Ok(())
    }

    /// Removes what only an unfinished run needs. A failure here costs disk space, not results.
    pub(super) fn drop_traces(&self) {
        let checkpoints = self.path.join("checkpoint");
        for seed in entries(&checkpoints) {
            for file in entries(&seed) {
                let _ = self.files.remove_file(&file);
            }
            let _ = std::fs::remove_dir(&seed);
        }
        let _ = std::fs::remove_dir(&checkpoints);
        let _ = self.files.remove_file(&self.path.join(LOCK));
    }
}

const LOCK: &str = "lock";

/// The lock of the operating system on the folder's `lock` file: gone with its process, however that ends.
struct Hold(#[allow(dead_code)] File);

impl Hold {
    fn take(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(LOCK);
        let io = |action| {
            let path = path.clone();
            move |source| DataError::Io {
                path,
                action,
                source,
            }
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                return Err(RunError::Busy {
                    path: folder.into(),
                    holder: holder.trim().into(),
                }
                .into());
            }
            Err(TryLockError::Error(source)) => return Err(io("lock")(source).into()),
        }
        // Only for people who wonder who holds it.
        let _ = file.set_len(0);
        let _ = write!(file, "process {}", std::process::id());
        Ok(Self(file))
    }
}

/// Makes and holds `folder` for a new run.
fn claim(folder: &Path, files: &dyn Files) -> Result<Hold, Failure> {
    let taken = || -> Result<(), Failure> {
        if folder.join("run.json").exists() {
            let status = read(folder).map_or("damaged", |r| super::outputs::status_word(r.status));
            return Err(RunError::Exists {
                path: folder.into(),
                status,
            }
            .into());
        }
        // What a kill before the first record leaves behind is ours to take over.
        let ours = |name: &str| name == LOCK || name == "config.toml" || is_partial(name);
        let other = entries(folder)
            .into_iter()
            .filter_map(|p| p.file_name().map(|n| n.to_string_lossy().into_owned()))
            .find(|name| !ours(name));
        other.map_or(Ok(()), |found| {
            let path = folder.into();
            Err(RunError::NotEmpty { path, found }.into())
        })
    };
    taken()?;
    files
        .create_dir_all(folder)
        .map_err(|source| DataError::Io {
            path: folder.into(),
            action: "create",
            source,
        })?;
    let hold = Hold::take(folder)?;
    taken()?;
    sweep(folder, files);
    Ok(hold)
}

/// A folder of this name, or with a number after it where other runs began in the same second.
fn free_folder(parent: &Path, name: &str, files: &dyn Files) -> Result<(PathBuf, Hold), Failure> {
    let mut n = 1;
    loop {
        let folder = match n {
            1 => parent.join(name),
            _ => parent.join(format!("{name}-{n}")),
        };
        match claim(&folder, files) {
            Ok(hold) => return Ok((folder, hold)),
            Err(e) if e.downcast_ref::<RunError>().is_some() && n < 1000 => n += 1,
            Err(e) => return Err(e),
        }
    }
}

/// Removes half-written files of a killed process, here and one and two levels down.
fn sweep(folder: &Path, files: &dyn Files) {
    fn below(folder: &Path, depth: usize, files: &dyn Files) {
        for entry in entries(folder) {
            let name = entry.file_name().unwrap_or_default().to_string_lossy();
            if is_partial(&name) {
                let _ = files.remove_file(&entry);
            } else if depth > 0 && entry.is_dir() {
                below(&entry, depth - 1, files);
            }
        }
    }
    below(folder, 2, files);
}

/// Whether [`write_atomic`] gives files that are not whole such names.
fn is_partial(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".partial")
}

/// What is in a folder, sorted; nothing if it cannot be read.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|all| all.filter_map(|e| e.ok().map(|e| e.path())).collect())
        .unwrap_or_default();
    found.sort();
    found
}
