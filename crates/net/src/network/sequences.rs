//! Rows that are the tokens of sequences: embeddings, and the transformer.

use chiasm_core::SettingError;
use ndarray::ArrayView2;

use super::{Attention, Layer, Network, NetworkError, Nonlinearity, Reach};
use crate::Real;

/// A causal transformer with norms before its branches (pre-norm), as GPT-Neo has it: embedding and trained positions, blocks
/// of attention and of a perceptron four times as wide, a last norm, and a head tied to the embedding. Begin it at
/// [`super::Start::Gpt`].
///
/// ```
/// use chiasm_core::Streams;
/// use chiasm_net::network::{Layer, Network, Start, Transformer};
///
/// let model = Transformer { vocabulary: 50, width: 16, blocks: 2, heads: 4, span: 8, ..Transformer::default() };
/// let layers = Layer::transformer(&model);
/// let network = Network::<f32>::begun(1, &layers, Start::Gpt, &mut Streams::new(1).stream("start"))?;
/// assert_eq!(network.parameters().len(), model.n_parameters());
/// // Two sequences of eight tokens: for each token, a score of every token that may come next.
/// let tokens = ndarray::Array2::from_shape_fn((16, 1), |(i, _)| (i % 50) as f32);
/// assert_eq!(network.outputs(tokens.view())?.dim(), (16, 50));
/// # Ok::<(), chiasm_net::network::NetworkError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transformer {
    /// Tokens, numbered from 0.
    pub vocabulary: usize,
    /// Units of each token.
    pub width: usize,
    /// Blocks.
    pub blocks: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Tokens of a sequence.
    pub span: usize,
    /// Tokens that every second block sees, itself the last; all before it if not given (GPT-Neo: 256).
    pub window: Option<usize>,
    /// Whether scores are divided by the root of a head's units (GPT-Neo: not).
    pub scaled: bool,
}

impl Default for Transformer {
    fn default() -> Self {
        Self {
            vocabulary: 1024,
            width: 64,
            blocks: 2,
            heads: 4,
            span: 128,
            window: None,
            scaled: false,
        }
    }
}

impl Transformer {
    /// Number of parameters, `V d + T d + L (12 d^2 + 10 d) + 2 d` (paper 50).
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        let d = self.width;
        (self.vocabulary + self.span) * d + self.blocks * (12 * d * d + 10 * d) + 2 * d
    }
}

impl Layer {
    /// The layers of a transformer. The last norm's activity, the features that tell the next token, is after layer
    /// `layers - 2`.
    #[must_use]
    pub fn transformer(model: &Transformer) -> Vec<Self> {
        let (vocabulary, width, span) = (model.vocabulary, model.width, model.span);
        let mut layers = vec![
            Self::Embedding { vocabulary, width },
            Self::Positions { span },
        ];
        for block in 0..model.blocks {
            let reach = match model.window {
                Some(window) if block % 2 == 1 => Reach::Local { window },
                _ => Reach::Causal,
            };
            let attention = Attention {
                heads: model.heads,
                span,
                reach,
                scaled: model.scaled,
            };
            layers.push(Self::Residual(vec![
                Self::Norm,
                Self::Attention(attention),
                Self::dense(width),
            ]));
            layers.push(Self::Residual(vec![
                Self::Norm,
                Self::dense(4 * width),
                Self::Each(Nonlinearity::GeluTanh),
                Self::dense(width),
            ]));
        }
        layers.extend([Self::Norm, Self::Tied { vocabulary }]);
        layers
    }

    /// Rows that belong together, if the layer or its branch says so.
    fn spans(&self) -> Vec<usize> {
        match self {
            Self::Positions { span } | Self::Attention(Attention { span, .. }) => vec![*span],
            Self::Residual(branch) | Self::ReZero(branch) => {
                branch.iter().flat_map(Self::spans).collect()
            }
            _ => vec![],
        }
    }
}

impl<T: Real> Network<T> {
    /// Rows that belong together, the tokens of a sequence; 1 where rows do not see each other.
    #[must_use]
    pub fn span(&self) -> usize {
        let mut spans = self.layers.iter().flat_map(Layer::spans);
        spans.next().unwrap_or(1)
    }

    /// Whether the layers agree on the length of sequences and on the embedding.
    pub(super) fn check_sequences(&self) -> Result<(), SettingError> {
        let span = self.span();
        let mut spans = self.layers.iter().flat_map(Layer::spans);
        let other = spans.find(|s| *s != span);
        let expected = format!("{span} in every layer");
        SettingError::check(other.is_none(), "span", &expected, other.unwrap_or(span))?;
        let first = match self.layers.first() {
            Some(Layer::Embedding { vocabulary, width }) => Some((*vocabulary, *width)),
            _ => None,
        };
        check_tied(&self.layers, self.inputs, first, true)
    }

    /// Whether the rows are whole sequences, and of tokens.
    pub(super) fn accept_sequences(&self, x: ArrayView2<'_, T>) -> Result<(), NetworkError> {
        let (span, found) = (self.span(), x.nrows());
        if !found.is_multiple_of(span) {
            return Err(NetworkError::Span { span, found });
        }
        let Some(Layer::Embedding { vocabulary, .. }) = self.layers.first() else {
            return Ok(());
        };
        let most = T::of(*vocabulary as f64);
        let is_token = |v: T| v >= T::ZERO && v < most && v.fract() == T::ZERO;
        let bad = x.column(0).into_iter().position(|v| !is_token(*v));
        bad.map_or(Ok(()), |row| {
            Err(NetworkError::Token {
                row,
                vocabulary: *vocabulary,
                found: x[[row, 0]].wide(),
            })
        })
    }
}

/// Embeddings at the very start alone, and tied heads of that embedding's shape.
fn check_tied(
    layers: &[Layer],
    inputs: usize,
    first: Option<(usize, usize)>,
    at_start: bool,
) -> Result<(), SettingError> {
    let mut width = inputs;
    for (i, layer) in layers.iter().enumerate() {
        match layer {
            Layer::Embedding { .. } if !(at_start && i == 0) => {
                let expected = "an embedding as the network's first layer alone";
                return Err(SettingError::new(
                    "layers",
                    expected,
                    format!("one as layer {i}"),
                ));
            }
            Layer::Tied { vocabulary } if first != Some((*vocabulary, width)) => {
                let expected = match first {
                    None => "a network that begins with an embedding".into(),
                    Some((v, d)) => format!("{v} tokens of {d} units, those of the embedding"),
                };
                let found = format!("{vocabulary} tokens of {width} units");
                return Err(SettingError::new("layers", expected, found));
            }
            Layer::Residual(branch) | Layer::ReZero(branch) => {
                check_tied(branch, width, first, false)?;
            }
            _ => {}
        }
        width = layer.width(width)?;
    }
    Ok(())
}

/// The table's row of each token.
pub(super) fn look_up<T: Real>(
    tokens: &[T],
    (table, [vocabulary, width]): (&[T], [usize; 2]),
    out: &mut Vec<T>,
) {
    out.clear();
    for token in tokens {
        let row = place(*token, vocabulary) * width;
        out.extend_from_slice(&table[row..row + width]);
    }
}

/// Adds the gradient of each token's row.
pub(super) fn look_up_back<T: Real>(
    tokens: &[T],
    gradient: &[T],
    [vocabulary, width]: [usize; 2],
    into: &mut [T],
) {
    for (token, gradient) in tokens.iter().zip(gradient.chunks_exact(width)) {
        let row = place(*token, vocabulary) * width;
        for (i, g) in into[row..row + width].iter_mut().zip(gradient) {
            *i += *g;
        }
    }
}

/// Panics for what is no token: inputs are checked before.
fn place<T: Real>(token: T, vocabulary: usize) -> usize {
    let place = token.wide() as usize;
    assert!(place < vocabulary, "token {token} of {vocabulary}");
    place
}
