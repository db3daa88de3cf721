//! Settings from the outside: `--set key=value` and TOML files, checked against a study's JSON schema.
//!
//! The schema is the one that `schemars` derives from the settings' own type, so a key that is refused here does not
//! exist, and one that is accepted has the right type. Ranges are the affair of the settings' `validate`.

use std::ops::Range;
use std::path::{Path, PathBuf};

use chiasm_core::{Diagnose, Failure, Group, names};
use chiasm_data::DataError;
use serde_json::Value;

mod describe;
mod schema;

pub use describe::{Setting, describe};
use schema::Node;

/// What can be wrong with settings from the outside.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// An assignment without `=`.
    #[error("`{given}` is not an assignment: expected key=value")]
    NotAnAssignment {
        /// What was given.
        given: String,
    },
    /// No setting has this name.
    #[error("unknown setting `{key}`")]
    UnknownKey {
        /// The dotted key as given.
        key: String,
        /// The keys that exist, dotted.
        known: Vec<String>,
    },
    /// The value does not have the setting's type.
    #[error("setting `{key}`: expected {expected}, found {found}")]
    WrongType {
        /// The dotted key.
        key: String,
        /// What would be accepted.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A settings file is not TOML, or holds a setting that is refused.
    #[error("{}: {message}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
        /// What to do, if known.
        help: Option<String>,
        /// The file's text, to show the line.
        text: String,
        /// Where in the text, in bytes, if known.
        span: Option<Range<usize>>,
    },
}

impl Diagnose for SettingsError {
    fn group(&self) -> Group {
        Group::Input
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NotAnAssignment { .. } => {
                Some("write --set key=value, such as --set rank=6".into())
            }
            Self::UnknownKey { key, known } => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                Some(suggest_key(key, &known))
            }
            Self::WrongType { .. } => None,
            Self::File { help, .. } => help.clone(),
        }
    }
}

/// The nearest key; a key is also near if its last part is the one given.
fn suggest_key(key: &str, known: &[&str]) -> String {
    if let Some(near) = names::nearest(key, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let last = |k: &str| k.rsplit('.').next().unwrap_or_default().to_owned();
    let lasts: Vec<String> = known.iter().map(|k| last(k)).collect();
    let given = last(key);
    let near = names::nearest(&given, lasts.iter().map(String::as_str));
    match near.and_then(|n| known.iter().find(|k| last(k) == n)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => names::suggest(key, known),
    }
}

/// Applies one assignment (`key=value`, the key dotted for nested settings) to `config`. The value is read as JSON, and
/// as plain text where it is not JSON or the setting is a text.
///
/// # Errors
/// No `=`; a key that does not exist (the help names the nearest); a value of another type.
pub fn set(schema: &Value, config: &mut Value, assignment: &str) -> Result<(), SettingsError> {
    let (key, raw) = assignment
        .split_once('=')
        .map(|(k, v)| (k.trim(), v.trim()))
        .filter(|(k, _)| !k.is_empty())
        .ok_or_else(|| SettingsError::NotAnAssignment {
            given: assignment.into(),
        })?;
    let text = Value::String(raw.into());
    let value = serde_json::from_str(raw).unwrap_or_else(|_| text.clone());
    let nested = |leaf: &Value| {
        key.rsplit('.')
            .fold(leaf.clone(), |inner, part| object(part, inner))
    };
    let root = Node::root(schema);
    let mut changed = config.clone();
    match root.merge(&mut changed, &nested(&value), "") {
        Ok(()) => {}
        // `--set name=7` for a text.
        Err(SettingsError::WrongType { .. })
            if root.merge(&mut changed.clone(), &nested(&text), "").is_ok() =>
        {
            root.merge(&mut changed, &nested(&text), "")?;
        }
        Err(error) => return Err(error),
    }
    *config = changed;
    Ok(())
}

/// Applies the settings in a TOML file, such as a run's `config.toml`, to `config`.
///
/// # Errors
/// A file that cannot be read, or [`SettingsError::File`] with the place in it.
pub fn set_from_file(schema: &Value, config: &mut Value, path: &Path) -> Result<(), Failure> {
    Ok(set_from_toml(schema, config, path, &read_text(path)?)?)
}

/// The whole text of a file of settings, or of a circuit.
///
/// # Errors
/// [`DataError::Io`] naming the file.
pub fn read_text(path: &Path) -> Result<String, DataError> {
    std::fs::read_to_string(path).map_err(|source| DataError::Io {
        path: path.into(),
        action: "read",
        source,
    })
}

/// Applies a TOML file's settings to `config`; `path` is for the message only.
///
/// # Errors
/// [`SettingsError::File`] with the place in the text.
pub fn set_from_toml(
    schema: &Value,
    config: &mut Value,
    path: &Path,
    text: &str,
) -> Result<(), SettingsError> {
    let refuse = |message: String, help, span| SettingsError::File {
        path: path.into(),
        message,
        help,
        text: text.into(),
        span,
    };
    let table: toml::Table = toml::from_str(text)
        .map_err(|e| refuse(format!("not TOML: {}", e.message()), None, e.span()))?;
    let given = serde_json::to_value(table).map_err(|e| refuse(e.to_string(), None, None))?;
    let mut changed = config.clone();
    Node::root(schema)
        .merge(&mut changed, &given, "")
        .map_err(|e| {
            let key = match &e {
                SettingsError::UnknownKey { key, .. } | SettingsError::WrongType { key, .. } => {
                    key.as_str()
                }
                _ => "",
            };
            refuse(e.to_string(), e.help(), line_of(text, key))
        })?;
    *config = changed;
    Ok(())
}

/// Settings as TOML, for people and for [`set_from_toml`]. Settings that are `null` are left out: TOML has no such thing.
///
/// # Errors
/// Where a number does not fit TOML's (a whole number above `i64::MAX`).
pub fn to_toml(config: &Value) -> Result<String, chiasm_core::SettingError> {
    fn without_nulls(value: &Value) -> Value {
        match value {
            Value::Object(map) => map
                .iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(k, v)| (k.clone(), without_nulls(v)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }
    toml::to_string(&without_nulls(config))
        .map_err(|e| chiasm_core::SettingError::new("config", "settings that TOML can hold", e))
}

fn object(key: &str, value: Value) -> Value {
    Value::Object([(key.to_owned(), value)].into_iter().collect())
}

/// Where the last part of a dotted key is assigned in a TOML text: the first line that starts with it.
fn line_of(text: &str, key: &str) -> Option<Range<usize>> {
    let last = key.rsplit('.').next().filter(|k| !k.is_empty())?;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let name = line.trim_start().trim_start_matches(['[', '"']);
        let is_key = name
            .strip_prefix(last)
            .or_else(|| name.strip_prefix(key))
            .is_some_and(|rest| {
                rest.trim_start_matches('"')
                    .trim_start()
                    .starts_with(['=', ']', '.'])
            });
        if is_key {
            return Some(start + indent..start + line.trim_end().len());
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests;
