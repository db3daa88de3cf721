//! The file layer: one small trait, so that a test can fail the Nth write, sync or rename.
//!
//! Readers use ordinary [`std::fs::File`]s; everything that *writes* goes through [`Files`], and every file that counts
//! is written by [`write_atomic`]: to a temporary name beside it, synced, then renamed. So a file under its final name
//! is always whole.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::DataError;

/// What chiasm asks of a file system when it writes.
pub trait Files: Send + Sync {
    /// Creates a folder and its parents; fine if it exists.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Opens a file for writing, cutting it to nothing if it exists.
    fn create(&self, path: &Path) -> io::Result<Box<dyn SyncWrite>>;
    /// Opens a file to add to its end, and makes it if there is none. Unless a file layer says otherwise, on the disk.
    fn append(&self, path: &Path) -> io::Result<Box<dyn SyncWrite>> {
        let file = fs::OpenOptions::new().append(true).create(true).open(path);
        Ok(Box::new(file?))
    }
    /// Renames a file or folder, replacing a file of that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
}

/// A writer whose bytes can be forced to the disk.
pub trait SyncWrite: Write + Send {
    /// Forces all bytes written so far to the disk.
    fn sync(&mut self) -> io::Result<()>;

    /// Keeps other processes from taking the same file until this writer is dropped; `false` if one has it already.
    /// Where the file system knows no locks, everyone may have it.
    fn lock(&self) -> bool {
        true
    }
}

/// The real file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskFiles;

impl SyncWrite for fs::File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
    fn lock(&self) -> bool {
        !matches!(self.try_lock(), Err(fs::TryLockError::WouldBlock))
    }
}

impl Files for DiskFiles {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn SyncWrite>> {
        Ok(Box::new(fs::File::create(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

/// Writes `bytes` to `path` so that a reader sees either the old file or the whole new one.
///
/// # Errors
/// [`DataError::Io`] naming `path` and the step that failed; the temporary file is removed and what stood at `path`
/// before is untouched.
pub fn write_atomic(files: &dyn Files, path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let io = |action| {
        move |source| DataError::Io {
            path: path.to_path_buf(),
            action,
            source,
        }
    };
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        files
            .create_dir_all(parent)
            .map_err(io("create the folder of"))?;
    }
    let partial = partial_name(path);
    let written = files.create(&partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.flush()?;
        file.sync()
    });
    let result = match written {
        Ok(()) => files
            .rename(&partial, path)
            .map_err(io("rename the finished file to")),
        Err(source) => Err(io("write")(source)),
    };
    if result.is_err() {
        // Best effort: the failure itself is what must be reported.
        let _ = files.remove_file(&partial);
    }
    result
}

/// The name under which `path` is written before it is whole: `.NAME.PID.partial` in the same folder.
#[must_use]
pub fn partial_name(path: &Path) -> PathBuf {
    let name = path
        .file_name()
        .map_or_else(Default::default, |n| n.to_string_lossy().into_owned());
    path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}
