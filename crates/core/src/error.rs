//! Three groups of faults, and the one type that carries any of them to a face.
//!
//! Each family of methods has its own `thiserror` enum whose variants carry fields (which argument, expected, found,
//! index). It implements [`Diagnose`] to say which group a fault belongs to and what would put it right. `?` turns it
//! into a [`Failure`] wherever families meet: in studies, in the lab, in the faces.

use std::error::Error;
use std::fmt;

/// Who can put a fault right, and how the faces report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The caller's input is at fault: a file, a setting, an argument.
    Input,
    /// The computation went wrong: not converged, not finite. Carries step and quantity.
    Numerical,
    /// The machine refused: a file that cannot be read or written, a full disk.
    Io,
    /// The work was cancelled on request; what was done so far is kept.
    Cancelled,
}

/// An error that knows its [`Group`] and, where it can, what to do about it.
pub trait Diagnose: Error + Send + Sync + 'static {
    /// The group of the fault.
    fn group(&self) -> Group;

    /// One sentence that says what to change, without a closing period.
    fn help(&self) -> Option<String> {
        None
    }
}

/// Any diagnosed error, boxed: the error type of studies, the lab and the faces.
///
/// It deliberately does not implement [`Error`] itself, so that `?` converts every family's enum into it. Use
/// [`Failure::source`] to walk the causes.
pub struct Failure {
    error: Box<dyn Diagnose>,
    about: Option<String>,
}

impl Failure {
    /// The same failure, with what it is about (a file, a run) named before its message.
    #[must_use]
    pub fn about(mut self, what: impl fmt::Display) -> Self {
        self.about = Some(match self.about {
            None => what.to_string(),
            Some(within) => format!("{what}: {within}"),
        });
        self
    }

    /// The group of the fault.
    #[must_use]
    pub fn group(&self) -> Group {
        self.error.group()
    }

    /// What to change, if known.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        self.error.help()
    }

    /// The error itself.
    #[must_use]
    pub fn as_error(&self) -> &(dyn Error + 'static) {
        // Diagnose: Error, so the upcast is a plain coercion.
        &*self.error
    }

    /// The cause of the error, if it has one.
    #[must_use]
    pub fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }

    /// The error as one of the families' own types, if it is that one.
    #[must_use]
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.as_error().downcast_ref::<E>()
    }
}

impl<E: Diagnose> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            error: Box::new(error),
            about: None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(about) = &self.about {
            write!(f, "{about}: ")?;
        }
        self.error.fmt(f)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// A setting outside its range: shared by the `validate` of every config.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("setting `{field}`: expected {expected}, found {found}")]
pub struct SettingError {
    /// The setting, as written in `--set` (dotted path).
    pub field: String,
    /// What would be accepted.
    pub expected: String,
    /// What was given.
    pub found: String,
}

impl SettingError {
    /// A refusal of `field`, which holds `found` where `expected` is needed.
    pub fn new(field: &str, expected: impl Into<String>, found: impl fmt::Display) -> Self {
        Self {
            field: field.into(),
            expected: expected.into(),
            found: found.to_string(),
        }
    }

    /// `Ok` if `holds`, else the refusal: one line per check in a `validate`.
    pub fn check(
        holds: bool,
        field: &str,
        expected: &str,
        found: impl fmt::Display,
    ) -> Result<(), Self> {
        if holds {
            Ok(())
        } else {
            Err(Self::new(field, expected, found))
        }
    }
}

impl Diagnose for SettingError {
    fn group(&self) -> Group {
        Group::Input
    }
}
