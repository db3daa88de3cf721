//! Spoken digits for studies: the Free Spoken Digit Dataset where it lies on this machine, made-up voices where not.

use chiasm_core::Failure;
use chiasm_data::datasets::Roots;
use chiasm_data::generate::voiced_digits;
use chiasm_data::sound::{Spoken, spoken_digits, spoken_digits_folder};
use chiasm_lab::Bench;

/// Speakers and takes of the voices that stand in: as many as the real ones.
const VOICES: (usize, u32) = (6, 50);

/// Spoken digits, and what they are, for captions.
pub(crate) struct Found {
    pub(crate) spoken: Vec<Spoken>,
    pub(crate) name: &'static str,
}

impl Found {
    /// Whether these are people who speak.
    pub(crate) fn is_speech(&self) -> bool {
        self.name == "spoken digits"
    }
}

/// All spoken digits. A note says when made-up voices stand in.
pub(crate) fn load(bench: &mut Bench) -> Result<Found, Failure> {
    if let Some(folder) = spoken_digits_folder(&Roots::from_env()) {
        return Ok(Found {
            spoken: spoken_digits(&folder)?,
            name: "spoken digits",
        });
    }
    bench.note(
        "made-up voices stand in for spoken digits: no `fsdd/recordings` below CHIASM_DATA or in the cache \
         (git clone https://github.com/Jakobovski/free-spoken-digit-dataset fsdd)",
    );
    let (speakers, takes) = VOICES;
    Ok(Found {
        spoken: voiced_digits(speakers, takes, &bench.streams().child("voices"))?,
        name: "made-up voices",
    })
}
