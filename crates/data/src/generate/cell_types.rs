//! Model neurons of known functional types, such as a model fitted to a recording would give: filters, gains, offsets.
//! Generated: nothing was recorded.
//!
//! Each neuron's filter is the prototype of its type plus white noise, scaled to unit norm; its gain is drawn for
//! itself. Images: differences of Gaussians of two sizes, ON and OFF, and Gabors of four orientations
//! ([`cell_types`]), or pairs of Gabors in quadrature, which see a pattern at any phase ([`CellKind::Energy`]). Movies:
//! filters separable in space and time ([`movie_types`]).

use std::f64::consts::PI;

use chiasm_core::{Rng, Streams};
use ndarray::{Array1, Array2};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::{DataError, Place};

/// What the neurons do with their filters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellKind {
    /// One linear filter: 8 types.
    #[default]
    Linear,
    /// The energy of two filters in quadrature: 8 types, of four orientations and two frequencies.
    Energy,
}

/// What is planted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellTypes {
    /// What the neurons do with their filters.
    pub kind: CellKind,
    /// Side of the image, pixels.
    pub side: usize,
    /// Fewest and most neurons of a type; each type's number is drawn from this range, ends included.
    pub per_type: (usize, usize),
    /// Norm of the noise of each filter, in that of its prototype.
    pub noise: f64,
    /// Least and largest gain.
    pub gains: (f64, f64),
    /// Offset of each neuron's drive.
    pub offset: f64,
}

impl Default for CellTypes {
    /// 96 neurons of 8 types on images of 18 x 18 pixels.
    fn default() -> Self {
        Self {
            kind: CellKind::Linear,
            side: 18,
            per_type: (12, 12),
            noise: 0.5,
            gains: (0.5, 2.0),
            offset: -1.0,
        }
    }
}

/// Neurons and the types they were made from.
#[derive(Debug, Clone, PartialEq)]
pub struct CellTypesTruth {
    /// Filters `[neuron, pixel]`, of unit norm.
    pub filters: Array2<f64>,
    /// Second filters `[neuron, pixel]`, of [`CellKind::Energy`] alone.
    pub second: Option<Array2<f64>>,
    /// Gains.
    pub gains: Vec<f64>,
    /// Offsets.
    pub offsets: Vec<f64>,
    /// The type of each neuron.
    pub labels: Vec<usize>,
    /// Prototypes `[type, pixel]`, of unit norm.
    pub prototypes: Array2<f64>,
    /// Names of the types.
    pub names: Vec<String>,
}

/// Makes neurons of known types. Prototypes are the same for every seed; numbers of neurons and gains come from the
/// stream `neurons`, noise from `noise`.
///
/// # Errors
/// [`DataError::Invalid`] for a side below 4, no neuron, or a size that is negative or not finite.
pub fn cell_types(planted: &CellTypes, streams: &Streams) -> Result<CellTypesTruth, DataError> {
    check(planted.side, planted.per_type, planted.noise, planted.gains)?;
    let side = planted.side;
    let (names, first, second) = match planted.kind {
        CellKind::Linear => {
            let (names, first) = linear_prototypes(side);
            (names, first, None)
        }
        CellKind::Energy => {
            let (names, first, second) = energy_prototypes(side);
            (names, first, Some(second))
        }
    };
    let mut neurons = streams.stream("neurons");
    let labels = labels(names.len(), planted.per_type, &mut neurons);
    let gains = draw_gains(labels.len(), planted.gains, &mut neurons);
    let mut noise = streams.stream("noise");
    let filters = noisy(&first, &labels, planted.noise, &mut noise);
    let second = second.map(|s| noisy(&s, &labels, planted.noise, &mut noise));
    Ok(CellTypesTruth {
        filters,
        second,
        offsets: vec![planted.offset; labels.len()],
        gains,
        labels,
        prototypes: first,
        names,
    })
}

/// What is planted in movies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MovieTypes {
    /// Side of a frame, pixels.
    pub side: usize,
    /// Lags of the temporal filters, frames.
    pub lags: usize,
    /// Number of types, at most 32: four shapes in space, each ON and OFF, sustained and transient, fast and slow.
    pub n_types: usize,
    /// Fewest and most neurons of a type; each type's number is drawn from this range, ends included.
    pub per_type: (usize, usize),
    /// Norm of the noise of each spatial and temporal filter, in that of its prototype.
    pub noise: f64,
    /// Least and largest gain.
    pub gains: (f64, f64),
    /// Offset of each neuron's drive.
    pub offset: f64,
}

impl Default for MovieTypes {
    fn default() -> Self {
        Self {
            side: 20,
            lags: 8,
            n_types: 32,
            per_type: (12, 12),
            noise: 0.3,
            gains: (0.5, 2.0),
            offset: -1.0,
        }
    }
}

/// Neurons that see movies, and the types they were made from.
#[derive(Debug, Clone, PartialEq)]
pub struct MovieTypesTruth {
    /// Spatial filters `[neuron, place]`, of unit norm.
    pub space: Array2<f64>,
    /// Temporal filters `[neuron, lag]`, of unit norm; lag 0 is the present frame.
    pub time: Array2<f64>,
    /// Gains.
    pub gains: Vec<f64>,
    /// Offsets.
    pub offsets: Vec<f64>,
    /// The type of each neuron.
    pub labels: Vec<usize>,
    /// Names of the types.
    pub names: Vec<String>,
}

/// Makes neurons of known types that see movies, from the same streams as [`cell_types`].
///
/// # Errors
/// [`DataError::Invalid`] for a side below 4, fewer than 4 lags, no type or more than 32, no neuron, or a size that is
/// negative or not finite.
pub fn movie_types(planted: &MovieTypes, streams: &Streams) -> Result<MovieTypesTruth, DataError> {
    check(planted.side, planted.per_type, planted.noise, planted.gains)?;
    let bad = |name: &str, expected: &str, found: usize| {
        Err(DataError::invalid(Place::dataset(name), expected, found))
    };
    if planted.lags < 4 {
        return bad("lags", "at least 4", planted.lags);
    }
    if !(1..=32).contains(&planted.n_types) {
        return bad("n_types", "1 to 32", planted.n_types);
    }
    let (side, lags) = (planted.side, planted.lags);
    let shapes = [
        ("small", difference_of_gaussians(side, 1.5, 3.0)),
        ("large", difference_of_gaussians(side, 3.0, 6.0)),
        ("upright", gabor(side, 0.0, 0.12, 3.0, 0.0)),
        ("level", gabor(side, 90.0, 0.12, 3.0, 0.0)),
    ];
    let mut names = Vec::new();
    let (mut space, mut time) = (Vec::new(), Vec::new());
    for (speed, tau) in [("fast", 0.15), ("slow", 0.35)] {
        for (course, undershoot) in [("sustained", 0.0), ("transient", 0.95)] {
            for (polarity, sign) in [("ON", 1.0), ("OFF", -1.0)] {
                for (shape, filter) in &shapes {
                    names.push(format!("{shape} {polarity} {course} {speed}"));
                    space.push(filter * sign);
                    time.push(kinetics(lags, tau * lags as f64, undershoot));
                }
            }
        }
    }
    names.truncate(planted.n_types);
    let mut neurons = streams.stream("neurons");
    let labels = labels(planted.n_types, planted.per_type, &mut neurons);
    let gains = draw_gains(labels.len(), planted.gains, &mut neurons);
    let mut noise = streams.stream("noise");
    Ok(MovieTypesTruth {
        space: noisy(&stack(&space), &labels, planted.noise, &mut noise),
        time: noisy(&stack(&time), &labels, planted.noise, &mut noise),
        offsets: vec![planted.offset; labels.len()],
        gains,
        labels,
        names,
    })
}

fn check(
    side: usize,
    per_type: (usize, usize),
    noise: f64,
    gains: (f64, f64),
) -> Result<(), DataError> {
    let bad = |name: &str, expected: &str, found: String| {
        Err(DataError::invalid(Place::dataset(name), expected, found))
    };
    if !(4..=1024).contains(&side) {
        return bad("side", "4 to 1024 pixels", side.to_string());
    }
    let (few, many) = per_type;
    if few == 0 || few > many {
        return bad(
            "per_type",
            "1 <= fewest <= most",
            format!("{few} to {many}"),
        );
    }
    if !(noise >= 0.0 && noise.is_finite()) {
        return bad("noise", "0 or more", noise.to_string());
    }
    let (least, most) = gains;
    if !(least > 0.0 && least <= most && most.is_finite()) {
        return bad(
            "gains",
            "0 < least <= largest",
            format!("{least} to {most}"),
        );
    }
    Ok(())
}

fn labels(n_types: usize, (few, many): (usize, usize), rng: &mut Rng) -> Vec<usize> {
    (0..n_types)
        .flat_map(|t| std::iter::repeat_n(t, rng.random_range(few..=many)))
        .collect()
}

fn draw_gains(n: usize, (least, most): (f64, f64), rng: &mut Rng) -> Vec<f64> {
    (0..n)
        .map(|_| least + (most - least) * rng.random::<f64>())
        .collect()
}

/// Each neuron's prototype plus white noise of this norm (on average), scaled to unit norm.
fn noisy(prototypes: &Array2<f64>, labels: &[usize], noise: f64, rng: &mut Rng) -> Array2<f64> {
    let n = prototypes.ncols();
    let sd = noise / (n as f64).sqrt();
    let mut filters = Array2::zeros((labels.len(), n));
    for (mut filter, &label) in filters.rows_mut().into_iter().zip(labels) {
        for (v, p) in filter.iter_mut().zip(prototypes.row(label)) {
            let normal: f64 = StandardNormal.sample(rng);
            *v = p + sd * normal;
        }
        let norm = filter.dot(&filter).sqrt();
        filter.mapv_inplace(|v| v / norm);
    }
    filters
}

fn stack(rows: &[Array1<f64>]) -> Array2<f64> {
    let n = rows.first().map_or(0, Array1::len);
    Array2::from_shape_fn((rows.len(), n), |(i, j)| rows[i][j])
}

fn linear_prototypes(side: usize) -> (Vec<String>, Array2<f64>) {
    let small = difference_of_gaussians(side, 1.5, 3.0);
    let large = difference_of_gaussians(side, 3.0, 6.0);
    let gabors = [
        (0.0, 0.12, 3.0),
        (90.0, 0.12, 3.0),
        (45.0, 0.2, 2.5),
        (-45.0, 0.2, 2.5),
    ];
    let mut names: Vec<String> = ["small ON", "small OFF", "large ON", "large OFF"]
        .map(String::from)
        .to_vec();
    let mut rows = vec![small.clone(), -small, large.clone(), -large];
    for (angle, frequency, sigma) in gabors {
        names.push(format!("Gabor {angle}\u{b0}"));
        rows.push(gabor(side, angle, frequency, sigma, 0.0));
    }
    (names, stack(&rows))
}

fn energy_prototypes(side: usize) -> (Vec<String>, Array2<f64>, Array2<f64>) {
    let (mut names, mut even, mut odd) = (Vec::new(), Vec::new(), Vec::new());
    for frequency in [0.12, 0.2] {
        for angle in [0.0, 45.0, 90.0, 135.0] {
            names.push(format!("{angle}\u{b0}, {frequency} cycles/pixel"));
            even.push(gabor(side, angle, frequency, 3.0, 0.0));
            odd.push(gabor(side, angle, frequency, 3.0, PI / 2.0));
        }
    }
    (names, stack(&even), stack(&odd))
}

/// Positions from the center of the image: `(x, y)` of each pixel.
fn places(side: usize) -> impl Iterator<Item = (f64, f64)> {
    let middle = (side as f64 - 1.0) / 2.0;
    (0..side * side).map(move |i| ((i % side) as f64 - middle, (i / side) as f64 - middle))
}

fn unit(filter: Array1<f64>) -> Array1<f64> {
    let norm = filter.dot(&filter).sqrt();
    filter / norm
}

/// A center of one width less 0.95 of a surround of another, each of unit sum; of unit norm.
fn difference_of_gaussians(side: usize, center: f64, surround: f64) -> Array1<f64> {
    let gaussian = |r2: f64, s: f64| (-r2 / (2.0 * s * s)).exp() / (s * s);
    let value = |(x, y): (f64, f64)| {
        let r2 = x * x + y * y;
        gaussian(r2, center) - 0.95 * gaussian(r2, surround)
    };
    unit(places(side).map(value).collect())
}

/// A Gabor of unit norm: angle in degrees, frequency in cycles per pixel, width in pixels, phase in radians.
fn gabor(side: usize, angle: f64, frequency: f64, sigma: f64, phase: f64) -> Array1<f64> {
    let (sin, cos) = angle.to_radians().sin_cos();
    let value = |(x, y): (f64, f64)| {
        let envelope = (-(x * x + y * y) / (2.0 * sigma * sigma)).exp();
        envelope * (2.0 * PI * frequency * (x * cos + y * sin) + phase).cos()
    };
    unit(places(side).map(value).collect())
}

/// A temporal filter of unit norm: a lobe that rises and falls with this time constant in frames, less a later one.
fn kinetics(lags: usize, tau: f64, undershoot: f64) -> Array1<f64> {
    let lobe = |lag: f64, tau: f64| (lag / tau) * (1.0 - lag / tau).exp() / tau;
    let value = |lag: usize| {
        let lag = lag as f64 + 0.5;
        lobe(lag, tau) - undershoot * lobe(lag, 2.0 * tau)
    };
    unit((0..lags).map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neurons_are_like_their_prototype_and_types_differ() {
        let truth = cell_types(&CellTypes::default(), &Streams::new(1)).unwrap();
        assert_eq!(truth.filters.dim(), (96, 324));
        let p = &truth.prototypes;
        let cosines = p.dot(&p.t());
        assert!((0..8).all(|i| (cosines[[i, i]] - 1.0).abs() < 1e-12));
        // ON and OFF are each other's negative; the two sizes and the Gabors overlap as an independent program has it.
        assert!((cosines[[0, 1]] + 1.0).abs() < 1e-12);
        assert!((cosines[[0, 2]] - 0.61).abs() < 0.005);
        assert!((cosines[[0, 4]] - 0.72).abs() < 0.005);
        assert!((cosines[[4, 5]] - 0.15).abs() < 0.005);
        for (i, &label) in truth.labels.iter().enumerate() {
            let own = truth.filters.row(i).dot(&p.row(label));
            assert!((own - 0.89).abs() < 0.06, "{own}");
            assert!((0.5..=2.0).contains(&truth.gains[i]));
        }
    }

    #[test]
    fn pairs_are_in_quadrature_and_movies_have_all_their_types() {
        let energy = CellTypes {
            kind: CellKind::Energy,
            noise: 0.0,
            per_type: (4, 40),
            ..CellTypes::default()
        };
        let truth = cell_types(&energy, &Streams::new(2)).unwrap();
        let second = truth.second.unwrap();
        for i in 0..truth.labels.len() {
            assert!(truth.filters.row(i).dot(&second.row(i)).abs() < 1e-9);
        }
        let count = |t: usize| truth.labels.iter().filter(|&&l| l == t).count();
        assert!((0..8).all(|t| (4..=40).contains(&count(t))));
        let movies = movie_types(&MovieTypes::default(), &Streams::new(2)).unwrap();
        let mut names = movies.names.clone();
        names.sort();
        names.dedup();
        assert_eq!((names.len(), movies.space.dim()), (32, (384, 400)));
        // A sustained filter passes a constant, a transient one hardly.
        let sum = |i: usize| movies.time.row(i).sum().abs();
        let sustained = movies.names.iter().position(|n| n.contains("sustained"));
        let transient = movies.names.iter().position(|n| n.contains("transient"));
        let of = |t: Option<usize>| {
            let own = (0..384).filter(|&i| Some(movies.labels[i]) == t).map(sum);
            own.sum::<f64>()
        };
        assert!(of(sustained) > 1.5 * of(transient));
    }

    #[test]
    fn what_cannot_be_planted_is_refused() {
        let refused = |c: CellTypes| cell_types(&c, &Streams::new(0)).is_err();
        let d = CellTypes::default;
        assert!(refused(CellTypes { side: 2, ..d() }));
        assert!(refused(CellTypes {
            per_type: (5, 4),
            ..d()
        }));
        assert!(refused(CellTypes {
            noise: f64::NAN,
            ..d()
        }));
        assert!(refused(CellTypes {
            gains: (0.0, 1.0),
            ..d()
        }));
        let movies = MovieTypes {
            n_types: 33,
            ..MovieTypes::default()
        };
        assert!(movie_types(&movies, &Streams::new(0)).is_err());
    }
}
