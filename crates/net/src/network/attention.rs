//! Attention: what a token takes over from others of its sequence.

use std::ops::Range;

use chiasm_core::{SettingError, vectorized};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::layer::MAX_SPAN;
use super::vocabulary::over;
use crate::Real;
use crate::product::{strided, strided_mut};

/// Attention by heads (Vaswani et al. 2017). Rows are tokens, `span` of them in a row a sequence. With queries, keys and
/// values `[Q K V] = x W` (no bias), each cut into as many parts as there are heads, a head gives
/// `softmax(Q K' s) V` over the tokens that a token may see; the heads stand side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attention {
    /// Heads; as many parts of the units, all of one size.
    pub heads: usize,
    /// Tokens of a sequence.
    pub span: usize,
    /// Which tokens a token sees.
    pub reach: Reach,
    /// Whether `s` is one over the root of a head's units; 1 if not (GPT-Neo).
    pub scaled: bool,
}

/// Which tokens of its sequence a token sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// All of them.
    All,
    /// Itself and those before.
    Causal,
    /// Itself and those before, so many in all.
    Local {
        /// How many.
        window: usize,
    },
}

impl Reach {
    /// The tokens that token `query` of a sequence of `span` sees.
    fn keys(self, query: usize, span: usize) -> Range<usize> {
        match self {
            Self::All => 0..span,
            Self::Causal => 0..query + 1,
            Self::Local { window } => (query + 1).saturating_sub(window)..query + 1,
        }
    }
}

/// Queries handled at once: what later ones alone see is not computed for those before.
const QUERIES: usize = 32;

/// Where the queries, keys and values of a head lie within the rows of a sequence.
#[derive(Clone, Copy)]
struct Head {
    width: usize,
    size: usize,
    first: usize,
}

impl Head {
    /// Rows of the queries (0), keys (1) or values (2).
    fn of<T: Real>(self, projected: &[T], what: usize, rows: Range<usize>) -> MatRef<'_, T> {
        let stride = 3 * self.width;
        let start = rows.start * stride + what * self.width + self.first;
        strided(&projected[start..], rows.len(), self.size, stride)
    }

    fn of_mut<T: Real>(
        self,
        projected: &mut [T],
        what: usize,
        rows: Range<usize>,
    ) -> MatMut<'_, T> {
        let stride = 3 * self.width;
        let start = rows.start * stride + what * self.width + self.first;
        let values = &mut projected[start..];
        strided_mut(values, rows.len(), self.size, stride)
    }

    /// Rows of what the heads give.
    fn out<T: Real>(self, out: &[T], rows: Range<usize>) -> MatRef<'_, T> {
        let start = rows.start * self.width + self.first;
        strided(&out[start..], rows.len(), self.size, self.width)
    }

    fn out_mut<T: Real>(self, out: &mut [T], rows: Range<usize>) -> MatMut<'_, T> {
        let start = rows.start * self.width + self.first;
        let values = &mut out[start..];
        strided_mut(values, rows.len(), self.size, self.width)
    }
}

impl Attention {
    /// Checks every number, where `width` units enter.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self, width: usize) -> Result<(), SettingError> {
        let fine = self.heads > 0 && width.is_multiple_of(self.heads);
        let expected = format!("a divisor of the {width} units that enter");
        SettingError::check(fine, "heads", &expected, self.heads)?;
        let fine = (1..=MAX_SPAN).contains(&self.span);
        SettingError::check(fine, "span", "1 to 65536 tokens", self.span)?;
        if let Reach::Local { window } = self.reach {
            SettingError::check(window > 0, "window", "at least 1 token", window)?;
        }
        Ok(())
    }

    /// Blocks of queries, with the keys that any of them sees.
    fn blocks(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + use<> {
        let (span, reach) = (self.span, self.reach);
        (0..span).step_by(QUERIES).map(move |first| {
            let last = (first + QUERIES).min(span) - 1;
            let keys = reach.keys(first, span).start..reach.keys(last, span).end;
            (first..last + 1, keys)
        })
    }

    fn heads(&self, width: usize) -> impl Iterator<Item = (usize, Head)> + use<> {
        let size = width / self.heads;
        (0..self.heads).map(move |head| {
            let first = head * size;
            (head, Head { width, size, first })
        })
    }

    fn scale<T: Real>(&self, width: usize) -> T {
        if self.scaled {
            T::of(1.0 / ((width / self.heads) as f64).sqrt())
        } else {
            T::ONE
        }
    }

    /// From queries, keys and values, `[row, 3 width]`, to what the heads give, `[row, width]`. Leaves the shares of each
    /// key, `[sequence, head, query, key]`; those outside of a block's keys are of no meaning.
    pub(super) fn forward<T: Real>(
        &self,
        projected: &[T],
        width: usize,
        shares: &mut Vec<T>,
        out: &mut Vec<T>,
    ) {
        let span = self.span;
        let rows = projected.len() / (3 * width);
        shares.resize(rows * self.heads * span, T::ZERO);
        out.resize(rows * width, T::ZERO);
        let scale = self.scale::<T>(width);
        out.par_chunks_mut(span * width)
            .zip(projected.par_chunks(span * 3 * width))
            .zip(shares.par_chunks_mut(self.heads * span * span))
            .for_each(|((out, projected), shares)| {
                for (place, head) in self.heads(width) {
                    let shares = &mut shares[place * span * span..(place + 1) * span * span];
                    for (queries, keys) in self.blocks() {
                        let start = queries.start * span + keys.start;
                        let (n, m) = (queries.len(), keys.len());
                        let scores = &mut shares[start..];
                        matmul(
                            strided_mut(scores, n, m, span),
                            Accum::Replace,
                            head.of(projected, 0, queries.clone()),
                            head.of(projected, 1, keys.clone()).transpose(),
                            scale,
                            Par::Seq,
                        );
                        for query in queries.clone() {
                            let row = &mut shares[query * span..(query + 1) * span];
                            softmax(row, &keys, &self.reach.keys(query, span));
                        }
                        let block = &shares[start..];
                        matmul(
                            head.out_mut(out, queries),
                            Accum::Replace,
                            strided(block, n, m, span),
                            head.of(projected, 2, keys),
                            T::ONE,
                            Par::Seq,
                        );
                    }
                }
            });
    }

    /// The gradient of queries, keys and values from that of what the heads gave.
    pub(super) fn backward<T: Real>(
        &self,
        projected: &[T],
        width: usize,
        shares: &[T],
        gradient: &[T],
    ) -> Vec<T> {
        let span = self.span;
        let mut back = vec![T::ZERO; projected.len()];
        let scale = self.scale::<T>(width);
        back.par_chunks_mut(span * 3 * width)
            .zip(projected.par_chunks(span * 3 * width))
            .zip(shares.par_chunks(self.heads * span * span))
            .zip(gradient.par_chunks(span * width))
            .for_each(|(((back, projected), shares), gradient)| {
                let mut slopes = vec![T::ZERO; QUERIES * span];
                for (place, head) in self.heads(width) {
                    let shares = &shares[place * span * span..(place + 1) * span * span];
                    for (queries, keys) in self.blocks() {
                        let (n, m) = (queries.len(), keys.len());
                        let block = &shares[queries.start * span + keys.start..];
                        let block = strided(block, n, m, span);
                        let of_out = head.out(gradient, queries.clone());
                        matmul(
                            head.of_mut(back, 2, keys.clone()),
                            Accum::Add,
                            block.transpose(),
                            of_out,
                            T::ONE,
                            Par::Seq,
                        );
                        matmul(
                            MatMut::from_row_major_slice_mut(&mut slopes[..n * m], n, m),
                            Accum::Replace,
                            of_out,
                            head.of(projected, 2, keys.clone()).transpose(),
                            T::ONE,
                            Par::Seq,
                        );
                        for (query, slopes) in queries.clone().zip(slopes.chunks_exact_mut(m)) {
                            let row = &shares[query * span..(query + 1) * span];
                            softmax_back(&row[keys.clone()], slopes);
                        }
                        let of_scores = MatRef::from_row_major_slice(&slopes[..n * m], n, m);
                        matmul(
                            head.of_mut(back, 0, queries.clone()),
                            Accum::Replace,
                            of_scores,
                            head.of(projected, 1, keys.clone()),
                            scale,
                            Par::Seq,
                        );
                        matmul(
                            head.of_mut(back, 1, keys),
                            Accum::Add,
                            of_scores.transpose(),
                            head.of(projected, 0, queries),
                            scale,
                            Par::Seq,
                        );
                    }
                }
            });
        back
    }
}

/// Scores become shares; those of the block that the query does not see become 0.
fn softmax<T: Real>(row: &mut [T], block: &Range<usize>, seen: &Range<usize>) {
    row[block.start..seen.start].fill(T::ZERO);
    row[seen.end..block.end].fill(T::ZERO);
    let row = &mut row[seen.clone()];
    vectorized(
        #[inline(always)]
        || {
            let top = over(row, T::neg_infinity(), |a, b| if b > a { b } else { a });
            for v in row.iter_mut() {
                *v = (*v - top).vector_exp();
            }
            let sum = over(row, T::ZERO, |a, b| a + b);
            let scale = T::ONE / sum;
            for v in row.iter_mut() {
                *v *= scale;
            }
        },
    );
}

/// The gradient of shares becomes that of scores.
fn softmax_back<T: Real>(shares: &[T], gradient: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            // Gradients times shares, kept in their place for the sum by lanes.
            for (g, p) in gradient.iter_mut().zip(shares) {
                *g *= *p;
            }
            let along = over(gradient, T::ZERO, |a, b| a + b);
            for (g, p) in gradient.iter_mut().zip(shares) {
                *g -= *p * along;
            }
        },
    );
}
