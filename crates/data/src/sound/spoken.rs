//! Spoken digits: a folder of WAV files named `digit_speaker_take.wav`.

use std::path::{Path, PathBuf};

use super::Sound;
use crate::datasets::Roots;
use crate::error::{DataError, Place};
use crate::folder::{entries, extension};

/// One spoken digit.
#[derive(Debug, Clone, PartialEq)]
pub struct Spoken {
    /// What was said, 0 to 9.
    pub digit: u8,
    /// Who said it.
    pub speaker: String,
    /// Which of the speaker's takes of this digit, from 0.
    pub take: u32,
    /// How it sounds.
    pub sound: Sound,
}

impl Spoken {
    /// Whether the take is one of those kept for testing, 0 to 4 (the Free Spoken Digit Dataset's own division).
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.take < 5
    }
}

/// The folder of the Free Spoken Digit Dataset (`fsdd/recordings` below `CHIASM_DATA` or the user's cache), if it is on
/// this machine: `git clone https://github.com/Jakobovski/free-spoken-digit-dataset fsdd` puts it there.
#[must_use]
pub fn spoken_digits_folder(roots: &Roots) -> Option<PathBuf> {
    let roots = roots.named.iter().chain(&roots.cache);
    let mut folders = roots.map(|root| root.join("fsdd").join("recordings"));
    folders.find(|folder| folder.is_dir())
}

/// Reads all `digit_speaker_take.wav` of a folder, ordered by digit, speaker and take.
///
/// # Errors
/// [`DataError`]: the folder is not there or holds no WAV file; a file's name does not say digit, speaker and take; as
/// [`Sound::read`].
pub fn spoken_digits(folder: &Path) -> Result<Vec<Spoken>, DataError> {
    let mut spoken = vec![];
    for path in entries(folder, |path| extension(path) == "wav")? {
        let (digit, speaker, take) = named(&path)?;
        let sound = Sound::read(&path)?;
        spoken.push(Spoken {
            digit,
            speaker,
            take,
            sound,
        });
    }
    if spoken.is_empty() {
        let place = Place::default().in_file(folder);
        return Err(DataError::invalid(place, "WAV files", "none"));
    }
    spoken.sort_by(|a, b| (a.digit, &a.speaker, a.take).cmp(&(b.digit, &b.speaker, b.take)));
    Ok(spoken)
}

fn named(path: &Path) -> Result<(u8, String, u32), DataError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let parts = (|| {
        let (digit, rest) = stem.split_once('_')?;
        let (speaker, take) = rest.rsplit_once('_')?;
        let digit = digit.parse().ok().filter(|d| *d < 10)?;
        Some((digit, speaker.to_owned(), take.parse().ok()?))
    })();
    parts.ok_or_else(|| {
        let place = Place::default().in_file(path);
        let expected = "a name such as 7_george_12.wav: digit, speaker and take";
        DataError::invalid(place, expected, stem)
    })
}
