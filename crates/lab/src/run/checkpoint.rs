//! Stages on disk: `checkpoint/seed-N/STAGE.bin`, each whole or not there, each with its checksum.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use chiasm_core::Failure;
use chiasm_data::files::write_atomic;
use chiasm_data::{DataError, Files};
use sha2::{Digest, Sha256};

use super::input::hex;
use super::outputs::file_name;
use crate::bench::{BenchError, Checkpoints};

const MAGIC: &[u8] = b"chiasm checkpoint 1\n";

/// The stages of one seed.
pub(super) struct SeedCheckpoints {
    folder: PathBuf,
    files: Arc<dyn Files>,
    build: String,
}

impl SeedCheckpoints {
    pub(super) fn new(folder: PathBuf, files: Arc<dyn Files>, build: String) -> Self {
        Self {
            folder,
            files,
            build,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        // The hash keeps apart names that are the same as file names.
        let hash = &hex(&Sha256::digest(name.as_bytes()))[..8];
        self.folder.join(format!("{}-{hash}.bin", file_name(name)))
    }
}

impl Checkpoints for SeedCheckpoints {
    /// A stage kept by another build counts as absent: it is computed again, so that no run mixes two programs.
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.path(name);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(DataError::Io {
                    path,
                    action: "read",
                    source,
                }
                .into());
            }
        };
        let damaged = || BenchError::Checkpoint {
            name: name.into(),
            reason: format!("{} is damaged", path.display()),
        };
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(damaged)?;
        let end = rest.iter().position(|b| *b == b'\n').ok_or_else(damaged)?;
        let (build, rest) = (&rest[..end], &rest[end + 1..]);
        let (sum, payload) = rest.split_at_checked(32).ok_or_else(damaged)?;
        if Sha256::digest(payload).as_slice() != sum {
            return Err(damaged().into());
        }
        Ok((build == self.build.as_bytes()).then(|| payload.to_vec()))
    }

    fn save(&self, name: &str, payload: &[u8]) -> Result<(), Failure> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.build.as_bytes());
        bytes.push(b'\n');
        bytes.extend(Sha256::digest(payload));
        bytes.extend(payload);
        write_atomic(&*self.files, &self.path(name), &bytes)?;
        Ok(())
    }
}
