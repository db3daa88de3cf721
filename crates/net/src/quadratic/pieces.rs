//! Networks of one input, piece by piece.

use chiasm_core::SettingError;

use crate::network::{Layer, Network, NetworkError, Nonlinearity, Terms};

/// One piece of a [`Spline`].
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Its polynomial, from the constant up.
    pub coefficients: Vec<f64>,
}

impl Piece {
    /// The highest power whose coefficient is not nothing (above 1e-9 of the largest).
    #[must_use]
    pub fn degree(&self) -> usize {
        let largest = self
            .coefficients
            .iter()
            .fold(0.0, |a, b| chiasm_core::stats::greater(a, b.abs()));
        let some = |c: &f64| c.abs() > 1e-9 * largest;
        self.coefficients.iter().rposition(some).unwrap_or(0)
    }

    /// Its value.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        value(&self.coefficients, x)
    }
}

/// An output of a network of one input, over a span: what polynomial it is on which piece. Layers may be dense, quadratic, and
/// units linear, rectifying or square.
#[derive(Debug, Clone, PartialEq)]
pub struct Spline {
    /// The pieces, from left to right, each touching the next.
    pub pieces: Vec<Piece>,
}

/// The polynomial of a unit from those of the units before it.
type Unit<'a> = &'a dyn Fn(&[Vec<f64>], usize) -> Vec<f64>;

/// A part of the span with the polynomial of each unit.
struct Part {
    from: f64,
    to: f64,
    units: Vec<Vec<f64>>,
}

impl Spline {
    /// Of an output of a network, from `from` to `to`. Neighbouring pieces of the same polynomial (coefficients within 1e-9 of
    /// the largest) are one.
    ///
    /// # Errors
    /// A network of several inputs, an output that it has not, a span that is none, layers of other kinds.
    pub fn of(
        network: &Network<f64>,
        output: usize,
        (from, to): (f64, f64),
    ) -> Result<Self, NetworkError> {
        SettingError::check(
            network.n_inputs() == 1,
            "network",
            "one input",
            network.n_inputs(),
        )?;
        let n = network.n_outputs();
        SettingError::check(output < n, "output", &format!("below {n}"), output)?;
        let span = format!("{from} to {to}");
        let fine = from.is_finite() && to.is_finite() && from < to;
        SettingError::check(fine, "span", "a finite span, rising", span)?;
        let mut parts = vec![Part {
            from,
            to,
            units: vec![vec![0.0, 1.0]],
        }];
        for (i, layer) in network.layers().iter().enumerate() {
            parts = step(network, i, layer, parts)?;
        }
        let mut pieces: Vec<Piece> = vec![];
        for mut part in parts {
            let coefficients = part.units.swap_remove(output);
            match pieces.last_mut() {
                Some(last) if same(&last.coefficients, &coefficients) => last.to = part.to,
                _ => pieces.push(Piece {
                    from: part.from,
                    to: part.to,
                    coefficients,
                }),
            }
        }
        Ok(Self { pieces })
    }

    /// The highest degree of a piece.
    #[must_use]
    pub fn degree(&self) -> usize {
        self.pieces.iter().map(Piece::degree).max().unwrap_or(0)
    }
}

fn step(
    network: &Network<f64>,
    i: usize,
    layer: &Layer,
    parts: Vec<Part>,
) -> Result<Vec<Part>, NetworkError> {
    let of = |name: &str| {
        let name = format!("{i}.{name}");
        let array = network.parameters().arrays.iter().find(|a| a.name == name);
        array.map(|a| (&a.values[..], a.shape[1]))
    };
    let each = |unit: Unit<'_>, n: usize| -> Vec<Part> {
        let turned = parts.iter().map(|part| Part {
            from: part.from,
            to: part.to,
            units: (0..n).map(|o| unit(&part.units, o)).collect(),
        });
        turned.collect()
    };
    // The affine combination of units, or of their squares, that enters unit o.
    let affine = |units: &[Vec<f64>], o: usize, weight: &str, bias: &str| {
        let mut sum = vec![0.0];
        if let Some((w, n)) = of(weight) {
            for (i, unit) in units.iter().enumerate() {
                add(&mut sum, unit, w[i * n + o]);
            }
        }
        if let Some((b, _)) = of(bias) {
            sum[0] += b[o];
        }
        sum
    };
    let refused = |what: &str| {
        let field = format!("layers.{i}");
        let expected = "dense or quadratic layers, linear, rectifying or square units";
        NetworkError::from(SettingError::new(&field, expected, what))
    };
    Ok(match layer {
        Layer::Dense { outputs, .. } => {
            each(&|units, o| affine(units, o, "weight", "bias"), *outputs)
        }
        Layer::Quadratic { outputs, terms, .. } => each(
            &|units, o| {
                let first = affine(units, o, "r.weight", "r.bias");
                let mut sum = match terms {
                    Terms::Squares => first,
                    _ => product(&first, &affine(units, o, "g.weight", "g.bias")),
                };
                let squares: Vec<Vec<f64>> = units.iter().map(|u| product(u, u)).collect();
                add(&mut sum, &affine(&squares, o, "b.weight", "c"), 1.0);
                sum
            },
            *outputs,
        ),
        Layer::Each(Nonlinearity::Linear) => parts,
        Layer::Each(Nonlinearity::Square) => {
            let n = parts.first().map_or(0, |p| p.units.len());
            each(&|units, o| product(&units[o], &units[o]), n)
        }
        Layer::Each(Nonlinearity::Relu) => parts.into_iter().flat_map(rectified).collect(),
        Layer::Each(_) => return Err(refused("other units")),
        _ => return Err(refused("another layer")),
    })
}

/// Cut where any unit changes sign; units below 0 become 0.
fn rectified(part: Part) -> Vec<Part> {
    let mut cuts = vec![part.from];
    for unit in &part.units {
        cuts.extend(roots(unit, part.from, part.to));
    }
    cuts.push(part.to);
    cuts.sort_by(f64::total_cmp);
    cuts.dedup_by(|b, a| *b - *a <= 1e-12 * (1.0 + a.abs()));
    let each = cuts.windows(2).map(|w| {
        let middle = 0.5 * (w[0] + w[1]);
        let kept = |unit: &Vec<f64>| {
            if value(unit, middle) > 0.0 {
                unit.clone()
            } else {
                vec![0.0]
            }
        };
        Part {
            from: w[0],
            to: w[1],
            units: part.units.iter().map(kept).collect(),
        }
    });
    each.collect()
}

fn value(p: &[f64], x: f64) -> f64 {
    p.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

fn add(sum: &mut Vec<f64>, p: &[f64], factor: f64) {
    if sum.len() < p.len() {
        sum.resize(p.len(), 0.0);
    }
    for (s, c) in sum.iter_mut().zip(p) {
        *s += factor * c;
    }
}

fn product(p: &[f64], q: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; p.len() + q.len() - 1];
    for (i, a) in p.iter().enumerate() {
        for (j, b) in q.iter().enumerate() {
            out[i + j] += a * b;
        }
    }
    out
}

fn same(p: &[f64], q: &[f64]) -> bool {
    let at = |p: &[f64], i: usize| p.get(i).copied().unwrap_or(0.0);
    let n = p.len().max(q.len());
    let largest = (0..n).fold(0.0f64, |m, i| m.max(at(p, i).abs()).max(at(q, i).abs()));
    (0..n).all(|i| (at(p, i) - at(q, i)).abs() <= 1e-9 * largest)
}

/// The places within a span where a polynomial crosses 0: between neighbouring extrema there is at most one.
fn roots(p: &[f64], from: f64, to: f64) -> Vec<f64> {
    let Some(top) = p.iter().rposition(|c| *c != 0.0) else {
        return vec![];
    };
    if top == 0 {
        return vec![];
    }
    let p = &p[..=top];
    let slope: Vec<f64> = p
        .iter()
        .enumerate()
        .skip(1)
        .map(|(i, c)| i as f64 * c)
        .collect();
    let mut ends = vec![from];
    ends.extend(roots(&slope, from, to));
    ends.push(to);
    let crossing = |w: &[f64]| -> Option<f64> {
        let (mut low, mut high) = (w[0], w[1]);
        let (at_low, at_high) = (value(p, low), value(p, high));
        if at_low == 0.0 {
            return Some(low);
        }
        if at_low.signum() == at_high.signum() {
            return None;
        }
        // Until neighbouring numbers.
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            if value(p, middle).signum() == at_low.signum() {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(0.5 * (low + high))
    };
    ends.windows(2).filter_map(crossing).collect()
}
