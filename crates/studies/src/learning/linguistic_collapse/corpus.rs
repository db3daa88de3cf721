//! What the language models read: a text as tokens, or a Markov chain's where no text is at hand.

use chiasm_core::Failure;
use chiasm_data::datasets::{Roots, find};
use chiasm_data::generate::{MarkovTokens, markov_tokens};
use chiasm_data::text::{BytePairs, read_text};
use chiasm_data::{DataError, Place};
use chiasm_lab::Bench;
use ndarray::Array2;

use super::config::{Corpus, LanguageModels};

/// Sequences of tokens, each with the token after it.
pub(super) struct Sequences {
    /// `[token, 1]`, sequences one after the other.
    pub(super) x: Array2<f32>,
    /// What comes next.
    pub(super) next: Vec<usize>,
}

impl Sequences {
    /// As many whole sequences of `span` as the tokens give.
    fn of(tokens: &[u32], span: usize) -> Self {
        let n = tokens.len().saturating_sub(1) / span * span;
        Self {
            x: Array2::from_shape_fn((n, 1), |(i, _)| tokens[i] as f32),
            next: tokens.iter().skip(1).take(n).map(|t| *t as usize).collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.next.len()
    }
}

/// Tokens to learn from and, after them in the text, to validate on.
pub(super) struct Tokens {
    pub(super) train: Sequences,
    pub(super) validation: Sequences,
    pub(super) vocabulary: usize,
    /// What they are, for captions.
    pub(super) name: String,
    /// Whether a chain stands in for a text.
    pub(super) is_stand_in: bool,
}

/// The corpus of the settings. A note says when a chain stands in.
pub(super) fn load(config: &LanguageModels, bench: &mut Bench) -> Result<Tokens, Failure> {
    let path = match (&config.text, config.corpus) {
        (Some(path), _) => Ok(path.clone()),
        (None, Corpus::Markov) => return chain(config, bench),
        (None, Corpus::Shakespeare) => find("shakespeare").and_then(|set| {
            let located = Roots::from_env().locate(set)?;
            Ok(located.paths[0].clone())
        }),
    };
    let path = match path {
        Ok(path) => path,
        Err(e) => {
            bench.note(format!(
                "A Markov chain stands in for Shakespeare's plays: {e} (`chiasm data get shakespeare`)."
            ));
            return chain(config, bench);
        }
    };
    let text = read_text(&path)?;
    let name = match &config.text {
        Some(path) => path
            .file_name()
            .map_or_else(String::new, |n| n.to_string_lossy().into()),
        None => "Shakespeare's plays".into(),
    };
    // What is not read has no part in the vocabulary.
    let text = upto(&text, config.bytes);
    let cut = upto(text, (text.len() as f64 * (1.0 - config.held_out)) as usize).len();
    let pairs = BytePairs::train(&text[..cut], config.vocabulary)?;
    let vocabulary = pairs.vocabulary();
    let (train, validation) = (pairs.encode(&text[..cut]), pairs.encode(&text[cut..]));
    tokens(config, (train, validation), vocabulary, (name, false))
        .map_err(|e| e.about(path.display()))
}

/// At most so many bytes, whole characters.
fn upto(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn chain(config: &LanguageModels, bench: &Bench) -> Result<Tokens, Failure> {
    // As many tokens as a text of these bytes has about.
    let how = MarkovTokens {
        length: (config.bytes / 3).clamp(1, 1_000_000),
        states: config.vocabulary.min(512),
        ..MarkovTokens::default()
    };
    let (mut train, _) = markov_tokens(&how, &bench.streams().child("corpus"))?;
    let cut = (train.len() as f64 * (1.0 - config.held_out)) as usize;
    let validation = train.split_off(cut);
    let name = "a Markov chain".to_owned();
    tokens(config, (train, validation), how.states, (name, true))
}

fn tokens(
    config: &LanguageModels,
    (train, validation): (Vec<u32>, Vec<u32>),
    vocabulary: usize,
    (name, is_stand_in): (String, bool),
) -> Result<Tokens, Failure> {
    let tokens = Tokens {
        train: Sequences::of(&train, config.span),
        validation: Sequences::of(&validation, config.span),
        vocabulary,
        name,
        is_stand_in,
    };
    for (part, found) in [
        (&tokens.train, train.len()),
        (&tokens.validation, validation.len()),
    ] {
        if part.len() == 0 {
            let place = Place::dataset("text");
            let expected = format!(
                "more than {} tokens to learn from and to validate on",
                config.span
            );
            return Err(DataError::invalid(place, expected, found).into());
        }
    }
    Ok(tokens)
}
