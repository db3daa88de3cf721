//! Byte pairs: the vocabulary, and text as its tokens.

use std::collections::{BTreeMap, BTreeSet};

use chiasm_core::SettingError;
use serde::{Deserialize, Serialize};

use super::pieces;

/// A vocabulary of byte pairs: the 256 bytes, then one token for each merge of two tokens before it. What is encoded is
/// decoded to the byte, whatever it was learned from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BytePairs {
    merges: Vec<(u32, u32)>,
}

const BYTES: usize = 256;

/// Where a pair of neighbors occurs.
#[derive(Default)]
struct Pair {
    count: i64,
    words: BTreeSet<usize>,
}

impl BytePairs {
    /// Learns a vocabulary of at most `vocabulary` tokens: the most frequent pair of neighbors within words, the first in the
    /// order of tokens among equals, becomes a token, until there are enough of them or no pair occurs twice.
    ///
    /// # Errors
    /// A vocabulary below 256 or above 2^20.
    pub fn train(text: &str, vocabulary: usize) -> Result<Self, SettingError> {
        let fine = (BYTES..=1 << 20).contains(&vocabulary);
        SettingError::check(fine, "vocabulary", "256 to 1048576 tokens", vocabulary)?;
        let mut counts: BTreeMap<&[u8], i64> = BTreeMap::new();
        for piece in pieces(text.as_bytes()) {
            *counts.entry(piece).or_default() += 1;
        }
        let mut words: Vec<(Vec<u32>, i64)> = counts
            .into_iter()
            .map(|(piece, n)| (piece.iter().map(|b| u32::from(*b)).collect(), n))
            .collect();
        let mut pairs: BTreeMap<(u32, u32), Pair> = BTreeMap::new();
        for (i, (word, n)) in words.iter().enumerate() {
            count(&mut pairs, word, i, *n);
        }
        let mut merges = vec![];
        while BYTES + merges.len() < vocabulary {
            // The first of equals: later ones must be more frequent.
            let best = pairs
                .iter()
                .fold(None, |best: Option<((u32, u32), i64)>, (pair, p)| {
                    if best.is_none_or(|(_, most)| p.count > most) {
                        Some((*pair, p.count))
                    } else {
                        best
                    }
                });
            let Some((pair, _)) = best.filter(|(_, n)| *n > 1) else {
                break;
            };
            let token = (BYTES + merges.len()) as u32;
            merges.push(pair);
            let within = std::mem::take(&mut pairs.entry(pair).or_default().words);
            for i in within {
                let (word, n) = &mut words[i];
                count(&mut pairs, word, i, -*n);
                join(word, pair, token);
                count(&mut pairs, word, i, *n);
            }
            pairs.retain(|_, p| p.count > 0);
        }
        Ok(Self { merges })
    }

    /// Number of tokens.
    #[must_use]
    pub fn vocabulary(&self) -> usize {
        BYTES + self.merges.len()
    }

    /// The two tokens of each merge, in their order; the first has number 256.
    #[must_use]
    pub fn merges(&self) -> &[(u32, u32)] {
        &self.merges
    }

    /// A text as numbers of tokens.
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let ranks: BTreeMap<(u32, u32), u32> = self
            .merges
            .iter()
            .enumerate()
            .map(|(i, pair)| (*pair, (BYTES + i) as u32))
            .collect();
        let mut known: BTreeMap<&[u8], Vec<u32>> = BTreeMap::new();
        let mut all = vec![];
        for piece in pieces(text.as_bytes()) {
            let tokens = known.entry(piece).or_insert_with(|| {
                let mut word: Vec<u32> = piece.iter().map(|b| u32::from(*b)).collect();
                // Merges in the order in which they were learned.
                while let Some(token) = word
                    .windows(2)
                    .filter_map(|w| ranks.get(&(w[0], w[1])).copied())
                    .min()
                {
                    join(&mut word, self.merges[token as usize - BYTES], token);
                }
                word
            });
            all.extend_from_slice(tokens);
        }
        all
    }

    /// The bytes of tokens.
    ///
    /// # Errors
    /// The number of no token.
    pub fn decode(&self, tokens: &[u32]) -> Result<Vec<u8>, SettingError> {
        let mut bytes = vec![];
        for token in tokens {
            let expected = format!("a token below {}", self.vocabulary());
            SettingError::check(
                (*token as usize) < self.vocabulary(),
                "tokens",
                &expected,
                token,
            )?;
            self.write(*token, &mut bytes);
        }
        Ok(bytes)
    }

    fn write(&self, token: u32, bytes: &mut Vec<u8>) {
        let mut left = vec![token];
        while let Some(token) = left.pop() {
            match (token as usize).checked_sub(BYTES) {
                None => bytes.push(token as u8),
                Some(merge) => {
                    let (first, second) = self.merges[merge];
                    left.extend([second, first]);
                }
            }
        }
    }
}

/// Adds a word's pairs of neighbors, `n` times each.
fn count(pairs: &mut BTreeMap<(u32, u32), Pair>, word: &[u32], place: usize, n: i64) {
    for w in word.windows(2) {
        let pair = pairs.entry((w[0], w[1])).or_default();
        pair.count += n;
        if n > 0 {
            pair.words.insert(place);
        } else {
            pair.words.remove(&place);
        }
    }
}

/// Puts a token in the place of each pair, from the left.
fn join(word: &mut Vec<u32>, (first, second): (u32, u32), token: u32) {
    let (mut from, mut to) = (0, 0);
    while from < word.len() {
        let is_pair = word[from] == first && word.get(from + 1) == Some(&second);
        word[to] = if is_pair { token } else { word[from] };
        from += if is_pair { 2 } else { 1 };
        to += 1;
    }
    word.truncate(to);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_are_those_by_hand() {
        // Words: `aab` three times, ` aab` twice, `ab`: a b 6, a a 5, space a 2.
        let text = "aab\naab\naab aab aab\nab";
        let pairs = BytePairs::train(text, 259).unwrap();
        let (a, b) = (u32::from(b'a'), u32::from(b'b'));
        // Then `a` before `ab` 5, space before `a`... that is ` a` 2.
        assert_eq!(pairs.merges()[..2], [(a, b), (a, 256)]);
        assert_eq!(pairs.encode("aab ab"), [257, u32::from(b' '), 256]);
        // Equals: the first in the order of tokens.
        let pairs = BytePairs::train("cd\ncd\nab\nab", 257).unwrap();
        assert_eq!(pairs.merges(), [(a, b)]);
        // Runs are joined from the left.
        let pairs = BytePairs::train("aaaaa\naaaaa", 257).unwrap();
        assert_eq!(pairs.encode("aaa"), [256, a]);
    }

    #[test]
    fn no_pair_that_occurs_once_is_a_token_and_bad_settings_are_refused() {
        let pairs = BytePairs::train("abc", 1000).unwrap();
        assert_eq!(pairs.vocabulary(), 256);
        assert_eq!(
            BytePairs::train("abc", 255).unwrap_err().field,
            "vocabulary"
        );
        assert_eq!(pairs.decode(&[256]).unwrap_err().field, "tokens");
        assert_eq!(BytePairs::train("", 300).unwrap().encode("é"), [0xc3, 0xa9]);
    }

    #[test]
    fn counts_kept_along_the_way_are_those_of_a_fresh_count() {
        let text =
            "she sells sea shells by the sea shore, she sees the shells she sells\n".repeat(3);
        let pairs = BytePairs::train(&text, 300).unwrap();
        let mut words: Vec<Vec<u32>> = pieces(text.as_bytes())
            .map(|p| p.iter().map(|b| u32::from(*b)).collect())
            .collect();
        for (i, merge) in pairs.merges().iter().enumerate() {
            let mut fresh: BTreeMap<(u32, u32), i64> = BTreeMap::new();
            for word in &words {
                word.windows(2)
                    .for_each(|w| *fresh.entry((w[0], w[1])).or_default() += 1);
            }
            let most = fresh.values().max().unwrap();
            let first = fresh.iter().find(|(_, n)| *n == most).unwrap().0;
            assert_eq!(merge, first, "merge {i}");
            words
                .iter_mut()
                .for_each(|w| join(w, *merge, (BYTES + i) as u32));
        }
        let joined: Vec<u32> = words.concat();
        assert_eq!(pairs.encode(&text), joined);
    }
}
