//! What can go wrong between a data set's name and its files.

use std::path::PathBuf;

use chiasm_core::{Cancelled, Diagnose, Group};

use crate::DataError;

/// Why a data set could not be found, fetched or trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No data set of this name is registered.
    #[error("no data set `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name, or the known ones.
        help: String,
    },
    /// The data set has no such file, or several whose names begin so.
    #[error("data set `{set}`: expected the beginning of one file's name, found `{given}`")]
    UnknownFile {
        /// The data set.
        set: String,
        /// What was asked for.
        given: String,
        /// The files that it has.
        files: Vec<&'static str>,
    },
    /// The data set is registered, but its files are not on this machine.
    #[error(
        "data set `{name}` is not on this machine: {file} is missing in {}",
        list(looked)
    )]
    Missing {
        /// The data set.
        name: String,
        /// The first file that is missing.
        file: String,
        /// The folders that were searched.
        looked: Vec<PathBuf>,
    },
    /// There is no folder to put files in.
    #[error("no folder for data sets: this account has no cache folder")]
    NoFolder,
    /// The connection failed, and no further byte came in several attempts.
    #[error("{url}: connection failed after {received} bytes: {reason}")]
    Network {
        /// The address.
        url: String,
        /// Bytes of the file that are safe in the partial file.
        received: u64,
        /// Its reason.
        reason: String,
    },
    /// The server answered with an error.
    #[error("{url}: the server answered {status}")]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server offers a file of another length than the registered one.
    #[error("{url}: expected a file of {expected} bytes, found {found}")]
    Size {
        /// The address.
        url: String,
        /// The registered size, bytes.
        expected: u64,
        /// What the server announced or sent, bytes.
        found: u64,
    },
    /// All bytes came, but they are not those of the registered file.
    #[error("{url}: expected SHA-256 {expected}, found {found}")]
    Checksum {
        /// The address.
        url: String,
        /// The registered checksum.
        expected: String,
        /// That of the bytes received.
        found: String,
    },
    /// Another process is fetching the same file.
    #[error("{}: another process is fetching this file", path.display())]
    Busy {
        /// The partial file.
        path: PathBuf,
    },
    /// None of the file's addresses gave it.
    #[error("{file}: none of its {} addresses gave it: {}", faults.len(), reasons(faults))]
    Exhausted {
        /// The file's name.
        file: String,
        /// What each address did, in order.
        faults: Vec<FetchError>,
    },
    /// A file on this machine could not be read or written.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Stopped on request; what came so far is kept in the partial file.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

fn list(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    names.join(", ")
}

fn reasons(faults: &[FetchError]) -> String {
    let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
    all.join("; ")
}

impl Diagnose for FetchError {
    fn group(&self) -> Group {
        match self {
            Self::Unknown { .. } | Self::UnknownFile { .. } | Self::Missing { .. } => Group::Input,
            Self::Cancelled(_) => Group::Cancelled,
            Self::Data(error) => error.group(),
            _ => Group::Io,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { help, .. } => help.clone(),
            Self::UnknownFile { files, .. } => format!("its files are: {}", files.join(", ")),
            Self::Missing { name, .. } => {
                format!(
                    "fetch it with `chiasm data get {name}`, or name the folder that holds it in CHIASM_DATA"
                )
            }
            Self::NoFolder => "name a folder in the environment variable CHIASM_DATA".into(),
            Self::Network { received: 0, .. } => "check the connection and try again".into(),
            Self::Network { .. } => {
                "try again: what has come so far is kept and the rest will follow it".into()
            }
            Self::Status { .. } | Self::Size { .. } => {
                "the source may have moved: fetch the file by hand and put it in the data set's folder, or give another source with --from".into()
            }
            Self::Checksum { .. } => {
                "the bytes were thrown away; if trying again does not help, the source has changed or something on the way changes them".into()
            }
            Self::Busy { .. } => "wait for it to end".into(),
            Self::Exhausted { faults, .. } => return faults.last().and_then(Diagnose::help),
            Self::Data(error) => return error.help(),
            Self::Cancelled(_) => "the same command goes on where it stopped".into(),
        })
    }
}
