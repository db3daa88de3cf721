//! Getting a whole data set, and checking one that is here.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use chiasm_core::{Inside, Watch};
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::fetch::{Patience, Wanted, fetch};
use super::{DataSet, FetchError, RemoteFile, Roots, find};
use crate::files::{DiskFiles, Files};
use crate::folder::reading;

/// How to get a data set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Get {
    /// Another source, instead of the registered ones: files are asked for as `FROM/NAME`. Their sizes and checksums
    /// must be the registered ones all the same.
    pub from: Option<String>,
    /// How long to wait for a slow or failing server.
    pub patience: Patience,
}

/// One file of a data set, after [`Get::run`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it was fetched; `false` if it was here already and is what it should be.
    pub fetched: bool,
}

/// Whether a file is the registered one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// To the byte.
    Same,
    /// It is packed otherwise, or not packed, and its contents are the same to the byte.
    SameContents,
    /// It is unpacked, and the register knows no checksum of the contents.
    Unknown,
    /// It is another file, or a damaged one.
    Differs {
        /// SHA-256 of its bytes, in hexadecimal.
        found: String,
    },
}

impl Verdict {
    /// Whether the file may be used as the registered one.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Same | Self::SameContents)
    }
}

/// Gets a registered data set into its folder below `CHIASM_DATA` or the user's cache; see [`Get::run`].
///
/// # Errors
/// Any [`FetchError`].
pub fn get(name: &str, watch: &dyn Watch) -> Result<Vec<Got>, FetchError> {
    let set = find(name)?;
    Get::default().run(set, &Roots::from_env().home(set)?, watch)
}

impl Get {
    /// Fetches every file of the data set that is not in `folder` yet, or is not what it should be.
    ///
    /// Each file is whole and checked before it gets its final name. What was received before an error, a cancellation
    /// or a kill is kept beside it, and the next call goes on from there.
    ///
    /// # Errors
    /// Any [`FetchError`] but `Unknown` and `Missing`; files that were fetched before it stay.
    pub fn run(
        &self,
        set: &DataSet,
        folder: &Path,
        watch: &dyn Watch,
    ) -> Result<Vec<Got>, FetchError> {
        self.run_on(&DiskFiles, set, folder, watch)
    }

    /// [`Self::run`] on another file layer.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_on(
        &self,
        files: &dyn Files,
        set: &DataSet,
        folder: &Path,
        watch: &dyn Watch,
    ) -> Result<Vec<Got>, FetchError> {
        let agent = self.patience.agent();
        let mut got = Vec::new();
        for file in set.files {
            let path = folder.join(file.name);
            let fetched = !(path.is_file() && verify(&path, file, watch)?.is_good());
            if fetched {
                let urls = self.urls(file);
                let wanted = Wanted {
                    path: &path,
                    size: file.size,
                    sha256: file.sha256,
                    urls: &urls,
                };
                fetch(files, &agent, &wanted, &self.patience, watch)?;
            }
            got.push(Got { path, fetched });
        }
        Ok(got)
    }

    fn urls(&self, file: &RemoteFile) -> Vec<String> {
        match &self.from {
            Some(base) => vec![format!("{}/{}", base.trim_end_matches('/'), file.name)],
            None => file.addresses.iter().map(|&a| a.into()).collect(),
        }
    }
}

/// Contents longer than this are not unpacked for a checksum.
const MAX_UNPACKED: u64 = 1 << 32;

/// Whether the file at `path` is the registered one.
///
/// # Errors
/// [`FetchError::Data`] if it cannot be read, [`FetchError::Cancelled`].
pub fn verify(path: &Path, file: &RemoteFile, watch: &dyn Watch) -> Result<Verdict, FetchError> {
    let size = std::fs::metadata(path).map_or(0, |m| m.len());
    watch.stage(&format!("check {}", file.name), size);
    let found = sha256_of(path, watch)?;
    if found == file.sha256 {
        return Ok(Verdict::Same);
    }
    let is_packed = path.extension().is_some_and(|e| e == "gz");
    let contents = match file.unpacked_sha256 {
        None if !is_packed && file.name.ends_with(".gz") => return Ok(Verdict::Unknown),
        None => return Ok(Verdict::Differs { found }),
        Some(contents) => contents,
    };
    let same = if is_packed {
        let opened = File::open(path).map_err(reading(path))?;
        let unpacked = MultiGzDecoder::new(BufReader::new(opened)).take(MAX_UNPACKED);
        // A file that cannot be unpacked is a damaged one, not a failure of ours.
        // Unpacked bytes are not those of the stage.
        hash(unpacked, &Inside(watch)).is_ok_and(|sum| sum.is_ok_and(|sum| sum == contents))
    } else {
        found == contents
    };
    watch.check()?;
    Ok(if same {
        Verdict::SameContents
    } else {
        Verdict::Differs { found }
    })
}

/// SHA-256 of a file, in hexadecimal; ticks the watch by bytes.
pub(super) fn sha256_of(path: &Path, watch: &dyn Watch) -> Result<String, FetchError> {
    let file = File::open(path).map_err(reading(path))?;
    Ok(hash(file, watch).map_err(reading(path))??)
}

/// The outer error is the reader's, the inner one a cancellation.
fn hash(
    mut bytes: impl Read,
    watch: &dyn Watch,
) -> std::io::Result<Result<String, chiasm_core::Cancelled>> {
    use std::fmt::Write as _;
    let mut sum = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        if let Err(cancelled) = watch.check() {
            return Ok(Err(cancelled));
        }
        let n = match bytes.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        sum.update(&chunk[..n]);
        watch.tick(n as u64);
    }
    let mut text = String::with_capacity(64);
    for byte in sum.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(Ok(text))
}
