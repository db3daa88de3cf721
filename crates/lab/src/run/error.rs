//! What can be wrong with a run folder.

use std::path::PathBuf;

use chiasm_core::{Diagnose, Group};

/// What can be wrong with a run folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A new run would overwrite an old one.
    #[error("{}: a run is here already ({status})", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
        /// The status of the run in it.
        status: &'static str,
    },
    /// A new run would mix with other files.
    #[error("{}: expected a new or empty folder, found `{found}` in it", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
        /// The first other file.
        found: String,
    },
    /// There is no run here.
    #[error("{}: no run here (no run.json)", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// Another process holds the run.
    #[error("{}: another process is working on this run ({holder})", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
        /// Who.
        holder: String,
    },
    /// The record is damaged.
    #[error("{}: not readable as the record of a run: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The record is of a newer chiasm.
    #[error("{}: record of format {found}, this chiasm reads up to {known}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest known here.
        known: u32,
    },
    /// The run is of another study.
    #[error("{}: a run of `{found}`, not of `{expected}`", path.display())]
    OtherStudy {
        /// The folder.
        path: PathBuf,
        /// The study asked for.
        expected: String,
        /// The study of the run.
        found: String,
    },
    /// The user's data is not what the run began with.
    #[error("{}: changed since the run began (SHA-256 {found}, was {expected})", path.display())]
    DataChanged {
        /// The data file.
        path: PathBuf,
        /// Its checksum when the run began.
        expected: String,
        /// Its checksum now.
        found: String,
    },
    /// No run is waiting to be resumed.
    #[error("{}: no unfinished run to resume", path.display())]
    NothingToResume {
        /// Where was looked.
        path: PathBuf,
    },
    /// There is nothing to run.
    #[error("a run needs at least one seed, and each only once: found {found}")]
    Seeds {
        /// The seeds given.
        found: String,
    },
}

impl Diagnose for RunError {
    fn group(&self) -> Group {
        match self {
            Self::Damaged { .. } => Group::Io,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Exists { status, .. } if *status != "finished" => {
                "add --resume to go on with it, or choose another folder with --out"
            }
            Self::Exists { .. } | Self::NotEmpty { .. } => "choose another folder with --out",
            Self::NoRun { .. } => "give the folder of a run, such as runs/STUDY/TIME-HASH",
            Self::Busy { .. } => "wait for it, or stop it first",
            Self::Damaged { .. } => "start afresh in another folder",
            Self::Format { .. } => "read it with the chiasm that wrote it, or a newer one",
            Self::DataChanged { .. } => "bring back the old file, or start a new run",
            Self::NothingToResume { .. } => {
                "start a new run without --resume, or name the run's folder with --out"
            }
            Self::OtherStudy { .. } | Self::Seeds { .. } => return None,
        };
        Some(help.into())
    }
}
