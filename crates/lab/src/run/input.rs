//! The user's data: how it was read, and its checksums.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use chiasm_core::{Failure, SettingError};
use chiasm_data::{DataError, Missing};
use sha2::{Digest, Sha256};

use super::RunError;
use super::record::{DataFileRecord, InputRecord};
use crate::study::Input;

/// The policy for missing samples as it is written on the command line: `refuse`, `keep`, `drop-units`, `drop-frames`,
/// or `interpolate=SECONDS` with the longest gap that is bridged (`interpolate` alone bridges 1 s).
///
/// # Errors
/// [`SettingError`] for anything else.
pub fn missing_from_text(text: &str) -> Result<Missing, SettingError> {
    let refused = || {
        let expected = "refuse, keep, drop-units, drop-frames, interpolate or interpolate=SECONDS";
        SettingError::new("missing", expected, format!("`{text}`"))
    };
    let gap = |max_gap_s: f64| Missing::Interpolate { max_gap_s };
    match text.split_once('=') {
        None => match text {
            "refuse" => Ok(Missing::Refuse),
            "keep" => Ok(Missing::Keep),
            "drop-units" => Ok(Missing::DropUnits),
            "drop-frames" => Ok(Missing::DropFrames),
            "interpolate" => Ok(gap(1.0)),
            _ => Err(refused()),
        },
        Some(("interpolate", seconds)) => match seconds.trim().parse::<f64>() {
            Ok(s) if s > 0.0 && s.is_finite() => Ok(gap(s)),
            _ => Err(refused()),
        },
        Some(_) => Err(refused()),
    }
}

/// The inverse of [`missing_from_text`].
#[must_use]
pub fn missing_to_text(missing: Missing) -> String {
    match missing {
        Missing::Refuse => "refuse".into(),
        Missing::Keep => "keep".into(),
        Missing::DropUnits => "drop-units".into(),
        Missing::DropFrames => "drop-frames".into(),
        Missing::Interpolate { max_gap_s } => format!("interpolate={max_gap_s}"),
    }
}

/// A span of time as it is written on the command line: `START,STOP`, s; an end left out is open.
///
/// # Errors
/// [`SettingError`] for anything else.
pub fn span_from_text(text: &str) -> Result<(f64, f64), SettingError> {
    let end = |text: &str, open: f64| match text.trim() {
        "" => Some(open),
        number => number.parse().ok().filter(|s: &f64| s.is_finite()),
    };
    let both = text
        .split_once(',')
        .and_then(|(start, stop)| Some((end(start, f64::MIN)?, end(stop, f64::MAX)?)));
    both.filter(|(start, stop)| start < stop).ok_or_else(|| {
        let expected = "START,STOP in s, the start before the stop; either may be left out";
        SettingError::new("span", expected, format!("`{text}`"))
    })
}

/// The inverse of [`span_from_text`].
#[must_use]
pub fn span_to_text((start, stop): (f64, f64)) -> String {
    let end = |s: f64, open: f64| {
        if s == open {
            String::new()
        } else {
            s.to_string()
        }
    };
    format!("{},{}", end(start, f64::MIN), end(stop, f64::MAX))
}

impl From<&Input> for InputRecord {
    fn from(input: &Input) -> Self {
        Self {
            paths: input
                .paths
                .iter()
                .map(|p| p.display().to_string())
                .collect(),
            map: input.map.clone(),
            missing: missing_to_text(input.missing),
            span: input.span_s.map(span_to_text),
        }
    }
}

impl InputRecord {
    /// The input as it is handed to a fit.
    pub(super) fn to_input(&self) -> Result<Input, SettingError> {
        Ok(Input {
            paths: self.paths.iter().map(PathBuf::from).collect(),
            map: self.map.clone(),
            missing: missing_from_text(&self.missing)?,
            span_s: self.span.as_deref().map(span_from_text).transpose()?,
        })
    }
}

/// Size and checksum of each file.
pub(super) fn checksums(input: &Input) -> Result<Vec<DataFileRecord>, Failure> {
    let each = input.paths.iter().map(|path| {
        let (bytes, sha256) = checksum(path)?;
        Ok(DataFileRecord {
            path: path.display().to_string(),
            bytes,
            sha256,
        })
    });
    each.collect()
}

/// Refuses to go on with data that is not what the run began with.
pub(super) fn unchanged(data: &[DataFileRecord]) -> Result<(), Failure> {
    for file in data {
        let path = PathBuf::from(&file.path);
        let (_, found) = checksum(&path)?;
        if found != file.sha256 {
            return Err(RunError::DataChanged {
                path,
                expected: file.sha256.clone(),
                found,
            }
            .into());
        }
    }
    Ok(())
}

/// Bytes and SHA-256 of a file; of a folder, of the names, sizes and contents of all files in it and in the folders below it,
/// which may be many.
fn checksum(path: &Path) -> Result<(u64, String), DataError> {
    let mut hash = Sha256::new();
    let mut bytes = 0;
    if path.is_dir() {
        for (name, file) in files_in(path)? {
            let mut of_file = Sha256::new();
            let size = digest(&file, &mut of_file)?;
            bytes += size;
            hash.update(format!("{name}\0{size}\0{}\n", hex(&of_file.finalize())));
        }
    } else {
        bytes = digest(path, &mut hash)?;
    }
    Ok((bytes, hex(&hash.finalize())))
}

/// Folders in folders that are followed: images lie in `train/CLASS`. No more, since links may go in circles.
const DEPTH: usize = 2;

/// Names (with the folders below, `train/cat/1.jpg`) and paths of the files of a folder, by name.
fn files_in(folder: &Path) -> Result<Vec<(String, PathBuf)>, DataError> {
    fn gather(
        folder: &Path,
        prefix: &str,
        depth: usize,
        files: &mut Vec<(String, PathBuf)>,
    ) -> Result<(), DataError> {
        for entry in std::fs::read_dir(folder).map_err(reading(folder))? {
            let path = entry.map_err(reading(folder))?.path();
            let own = path.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("{prefix}{own}");
            if path.is_file() {
                files.push((name, path));
            } else if path.is_dir() && depth > 0 {
                gather(&path, &format!("{name}/"), depth - 1, files)?;
            }
        }
        Ok(())
    }
    let mut files = vec![];
    gather(folder, "", DEPTH, &mut files)?;
    files.sort();
    Ok(files)
}

fn reading(path: &Path) -> impl Fn(std::io::Error) -> DataError {
    let path = path.to_path_buf();
    move |source| DataError::Io {
        path: path.clone(),
        action: "read",
        source,
    }
}

/// Takes a file's bytes into a hash; their number.
fn digest(path: &Path, hash: &mut Sha256) -> Result<u64, DataError> {
    let mut file = File::open(path).map_err(reading(path))?;
    let (mut bytes, mut buffer) = (0, vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(reading(path))? {
            0 => return Ok(bytes),
            n => {
                hash.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_go_both_ways() {
        for text in [
            "refuse",
            "keep",
            "drop-units",
            "drop-frames",
            "interpolate=0.25",
        ] {
            assert_eq!(missing_to_text(missing_from_text(text).expect(text)), text);
        }
        for text in [
            "",
            "drop",
            "interpolate=",
            "interpolate=-1",
            "interpolate=inf",
            "keep=1",
        ] {
            assert!(missing_from_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_folder_has_the_checksum_of_its_files() {
        let temp = tempfile::tempdir().expect("a folder");
        let put =
            |name: &str, text: &str| std::fs::write(temp.path().join(name), text).expect(name);
        let sum = || checksum(temp.path()).expect("readable").1;
        put("b", "two");
        put("a", "one");
        let both = sum();
        assert_eq!(checksum(temp.path()).expect("readable").0, 6);
        put("a", "oNe");
        assert_ne!(sum(), both);
        put("a", "one");
        assert_eq!(sum(), both);
        std::fs::rename(temp.path().join("a"), temp.path().join("c")).expect("renamed");
        assert_ne!(sum(), both, "names count");
        let before = sum();
        let class = temp.path().join("train").join("cat");
        std::fs::create_dir_all(&class).expect("made");
        assert_eq!(sum(), before);
        std::fs::write(class.join("1.jpg"), "meow").expect("written");
        assert_ne!(sum(), before, "folders below count");
        assert!(checksum(&temp.path().join("nowhere")).is_err());
    }

    #[test]
    fn spans_go_both_ways() {
        for text in ["0,60", "1.5,", ",-2", "-3,4.25", ","] {
            assert_eq!(span_to_text(span_from_text(text).expect(text)), text);
        }
        for text in ["", "5", "5,5", "6,5", "a,b", "0,inf", "NaN,1", "1,2,3"] {
            assert!(span_from_text(text).is_err(), "{text}");
        }
    }
}
