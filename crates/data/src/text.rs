//! Text as tokens: files, and vocabularies of byte pairs.
//!
//! - [`read_text`]: a file as text;
//! - [`BytePairs`]: a vocabulary learned from text (Sennrich, Haddow & Birch 2016, on bytes), and text as its tokens.
//!
//! ```
//! use chiasm_data::text::BytePairs;
//!
//! let text = "the cat and the hat and the bat";
//! let pairs = BytePairs::train(text, 262)?;
//! let tokens = pairs.encode(text);
//! assert!(tokens.len() < text.len() && tokens.iter().all(|t| *t < 262));
//! assert_eq!(pairs.decode(&tokens)?, text.as_bytes());
//! # Ok::<(), chiasm_core::SettingError>(())
//! ```

mod pairs;

use std::path::Path;

pub use pairs::BytePairs;

use crate::error::{DataError, Place};

/// A file as text.
///
/// # Errors
/// [`DataError`] naming the file: it cannot be read, is empty, or is no UTF-8 (with the byte).
pub fn read_text(path: &Path) -> Result<String, DataError> {
    let bytes = std::fs::read(path).map_err(|source| DataError::Io {
        path: path.into(),
        action: "read",
        source,
    })?;
    let text = String::from_utf8(bytes).map_err(|e| DataError::Malformed {
        path: path.into(),
        format: "UTF-8 text",
        reason: format!("byte {} begins no character", e.utf8_error().valid_up_to()),
    })?;
    if text.is_empty() {
        let place = Place::dataset("text").in_file(path);
        return Err(DataError::invalid(place, "some text", "an empty file"));
    }
    Ok(text)
}

/// The pieces of a text within which pairs are merged: a run of letters, of digits, of other signs, with the space before it;
/// or a run of white space. Joined they are the text.
fn pieces(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = *text.get(at)?;
        let start = at;
        let run = |from: usize| {
            let kind = Kind::of(text[from]);
            let after = text[from..].iter().position(|b| Kind::of(*b) != kind);
            after.map_or(text.len(), |n| from + n)
        };
        at = match (first, text.get(at + 1)) {
            (b' ', Some(next)) if Kind::of(*next) != Kind::Space => run(at + 1),
            _ => run(at),
        };
        // The last space of a run belongs to the word after it.
        if at < text.len() && text[at - 1] == b' ' && at - start > 1 {
            at -= 1;
        }
        Some(&text[start..at])
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Digit,
    Space,
    Other,
}

impl Kind {
    fn of(byte: u8) -> Self {
        match byte {
            // Bytes of characters beyond ASCII are taken for letters.
            b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => Self::Letter,
            b'0'..=b'9' => Self::Digit,
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => Self::Space,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pieces_are_words_with_the_space_before_them() {
        let cut = |text: &str| -> Vec<String> {
            let each = pieces(text.as_bytes());
            each.map(|p| String::from_utf8(p.to_vec()).unwrap())
                .collect()
        };
        assert_eq!(
            cut("All:\nSpeak, speak  now 12 x7!"),
            [
                "All", ":", "\n", "Speak", ",", " speak", " ", " now", " 12", " x", "7", "!"
            ]
        );
        assert_eq!(cut("  \n a "), ["  \n", " a", " "]);
        assert_eq!(cut(" "), [" "]);
        assert_eq!(cut("   "), ["   "]);
        assert_eq!(cut("né\t é"), ["né", "\t", " é"]);
        assert!(cut("").is_empty());
    }

    proptest! {
        #[test]
        fn pieces_joined_are_the_text(text in "[ \\na-c0-1!é]{0,60}") {
            let joined: Vec<u8> = pieces(text.as_bytes()).flatten().copied().collect();
            prop_assert_eq!(joined, text.as_bytes());
        }

        #[test]
        fn what_is_encoded_is_decoded(text in "[ \\na-e0-1!é]{1,200}", other in "[ \\na-h!ü]{0,60}") {
            let pairs = BytePairs::train(&text, 300).unwrap();
            prop_assert_eq!(pairs.decode(&pairs.encode(&text)).unwrap(), text.as_bytes());
            prop_assert_eq!(pairs.decode(&pairs.encode(&other)).unwrap(), other.as_bytes());
        }
    }

    #[test]
    fn files_that_are_no_text_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, b"ab\xffcd").unwrap();
        let error = read_text(&path).unwrap_err().to_string();
        assert!(
            error.contains("a.txt") && error.contains("byte 2"),
            "{error}"
        );
        std::fs::write(&path, b"").unwrap();
        assert!(read_text(&path).unwrap_err().to_string().contains("empty"));
        let error = read_text(&folder.path().join("b.txt")).unwrap_err();
        assert!(error.to_string().contains("b.txt"));
    }
}
