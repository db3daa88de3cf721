//! Errors at the border: each names the file, dataset, unit, index, what was expected and what was found.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use chiasm_core::{Diagnose, Group};

/// Where in the data a fault lies. Every part is optional; what is known is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Option<PathBuf>,
    /// The dataset, column, variable or field within it.
    pub dataset: Option<String>,
    /// The unit's id or label.
    pub unit: Option<String>,
    /// Position (from 0) of the offending value.
    pub index: Option<usize>,
}

impl Place {
    /// A place in the dataset of this name.
    #[must_use]
    pub fn dataset(name: impl Into<String>) -> Self {
        Self {
            dataset: Some(name.into()),
            ..Self::default()
        }
    }

    /// The same place, within this file.
    #[must_use]
    pub fn in_file(mut self, file: &Path) -> Self {
        self.file.get_or_insert_with(|| file.to_path_buf());
        self
    }

    /// The same place, at this unit.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// The same place, at this position (from 0).
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.index = Some(index);
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(file) = &self.file {
            parts.push(file.display().to_string());
        }
        if let Some(dataset) = &self.dataset {
            parts.push(format!("`{dataset}`"));
        }
        if let Some(unit) = &self.unit {
            parts.push(format!("unit {unit}"));
        }
        if let Some(index) = self.index {
            parts.push(format!("index {index}"));
        }
        if parts.is_empty() {
            f.write_str("recording")
        } else {
            f.write_str(&parts.join(", "))
        }
    }
}

/// What can be wrong with a file or with the data in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A value or a shape is not what it must be.
    #[error("{place}: expected {expected}, found {found}")]
    Invalid {
        /// Where.
        place: Box<Place>,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
        /// What would put it right, if known.
        help: Option<String>,
    },
    /// The file is not of the format it claims to be, is cut short, or is damaged.
    #[error("{}: not readable as {format}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The format it was read as.
        format: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is sound, but uses something chiasm does not read, or the format cannot hold what was asked.
    #[error("{}: {what} is not supported for {format}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The format.
        format: &'static str,
        /// The unsupported thing.
        what: String,
        /// What would work instead, if known.
        help: Option<String>,
    },
    /// A dataset, column or variable that was asked for is not in the file.
    #[error("{}: no `{wanted}` in this file", path.display())]
    Absent {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        wanted: String,
        /// What is there.
        available: Vec<String>,
    },
    /// A setting of a reader or generator is out of its range.
    #[error(transparent)]
    Setting(#[from] chiasm_core::SettingError),
    /// The operating system refused.
    #[error("{}: cannot {action}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried, as a verb: "read", "write", "rename".
        action: &'static str,
        /// Its reason.
        source: std::io::Error,
    },
}

impl DataError {
    /// A value or shape at `place` that is not as expected.
    pub fn invalid(place: Place, expected: impl Into<String>, found: impl fmt::Display) -> Self {
        Self::Invalid {
            place: Box::new(place),
            expected: expected.into(),
            found: found.to_string(),
            help: None,
        }
    }

    /// The same error with advice (kept only by the variants that carry any).
    #[must_use]
    pub fn with_help(mut self, advice: impl Into<String>) -> Self {
        if let Self::Invalid { help, .. } | Self::Unsupported { help, .. } = &mut self {
            *help = Some(advice.into());
        }
        self
    }

    /// The same error, with the file named where it was not known before.
    #[must_use]
    pub fn in_file(mut self, file: &Path) -> Self {
        if let Self::Invalid { place, .. } = &mut self {
            let named = std::mem::take(place.as_mut()).in_file(file);
            **place = named;
        }
        self
    }
}

impl Diagnose for DataError {
    fn group(&self) -> Group {
        match self {
            // A file to be read that is none is the caller's slip; one that cannot be made is the machine's refusal.
            Self::Io { source, action, .. }
                if *action == "read"
                    && matches!(
                        source.kind(),
                        ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory
                    ) =>
            {
                Group::Input
            }
            Self::Io { .. } => Group::Io,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Invalid { help, .. } | Self::Unsupported { help, .. } => help.clone(),
            Self::Absent {
                wanted, available, ..
            } if !available.is_empty() => {
                let names: Vec<&str> = available.iter().map(String::as_str).collect();
                Some(chiasm_core::names::suggest(wanted, &names))
            }
            Self::Io { source, .. } => Some(source.to_string()),
            _ => None,
        }
    }
}
