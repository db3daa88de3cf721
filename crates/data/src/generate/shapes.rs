//! Curves, surfaces and clouds of known geometry and topology (paper 43; formulas of its released code).

use std::f64::consts::PI;

use chiasm_core::Streams;
use ndarray::Array2;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::{DataError, Place};

/// A shape in space. With theta = 2 pi i / n for point i of n, where nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// (cos t, sin 2t, 0): flat, and crosses itself: two loops.
    FlatEight,
    /// (cos t / 2, sin 2t / 2, cos 2t): twisted, and crosses itself: two loops.
    TwistEight,
    /// (cos t, sin 2t, cos(t - pi/2) / 3): lifted where it would cross: one loop.
    UntangledFlatEight,
    /// (cos t / 2, sin 2t / 2, cos 2t (sin t / 3 + 1)): one loop.
    UntangledTwistEight,
    /// (sin t, cos t, 0).
    FlatRing,
    /// (sin t, cos t, sin 2t).
    TwistRing,
    /// (sin t, cos t, cos 4t).
    DoubleTwistRing,
    /// Two unit circles of n/2 points each, in the planes z = 0 and x = 0, around one center.
    MixedRings,
    /// As `MixedRings`, the first shifted by 1 along y: linked.
    LockedRings,
    /// Points i / (n - 1) on the x axis.
    Line,
    /// A torus of radii 10 and 4; angles uniform at random.
    Torus,
    /// A sphere of radius 10, uniform at random.
    Sphere,
    /// A swiss roll of radius 10; uniform at random along the roll and the axis.
    SwissRoll,
    /// A standard Gaussian cloud.
    Gaussian,
    /// Three Gaussian blobs (sd 1) with centers 10 apart.
    Blobs,
}

impl Shape {
    /// Whether [`random_points`] is needed.
    #[must_use]
    pub fn is_random(self) -> bool {
        use Shape::{Blobs, Gaussian, Sphere, SwissRoll, Torus};
        matches!(self, Torus | Sphere | SwissRoll | Gaussian | Blobs)
    }

    /// Number of independent loops: the first Betti number of the curve or surface; `None` for clouds.
    #[must_use]
    pub fn n_loops(self) -> Option<usize> {
        use Shape as S;
        match self {
            S::FlatEight | S::TwistEight | S::LockedRings | S::Torus => Some(2),
            // Circles around one center in two planes cross in two points: four arcs between two nodes.
            S::MixedRings => Some(3),
            S::UntangledFlatEight | S::UntangledTwistEight => Some(1),
            S::FlatRing | S::TwistRing | S::DoubleTwistRing => Some(1),
            S::Line | S::Sphere | S::SwissRoll => Some(0),
            S::Gaussian | S::Blobs => None,
        }
    }
}

fn enough(n: usize) -> Result<(), DataError> {
    if n >= 4 {
        return Ok(());
    }
    Err(DataError::invalid(
        Place::dataset("shape"),
        "at least 4 points",
        n,
    ))
}

/// `n` points of a shape, `[point, 3]`; the random ones from the seed 0.
///
/// # Errors
/// [`DataError::Invalid`] below 4 points.
pub fn points(shape: Shape, n: usize) -> Result<Array2<f64>, DataError> {
    random_points(shape, n, &Streams::new(0))
}

/// `n` points of a shape, `[point, 3]`; the random ones from the stream `shape`.
///
/// # Errors
/// [`DataError::Invalid`] below 4 points.
pub fn random_points(shape: Shape, n: usize, streams: &Streams) -> Result<Array2<f64>, DataError> {
    enough(n)?;
    let mut rng = streams.stream("shape");
    let mut out = Array2::zeros((n, 3));
    for (i, mut row) in out.rows_mut().into_iter().enumerate() {
        let t = 2.0 * PI * i as f64 / n as f64;
        let mut angle = || rng.random::<f64>() * 2.0 * PI;
        let point = match shape {
            Shape::FlatEight => [t.cos(), (2.0 * t).sin(), 0.0],
            Shape::TwistEight => [t.cos() / 2.0, (2.0 * t).sin() / 2.0, (2.0 * t).cos()],
            Shape::UntangledFlatEight => [t.cos(), (2.0 * t).sin(), (t - PI / 2.0).cos() / 3.0],
            Shape::UntangledTwistEight => {
                let z = (2.0 * t).cos() * (t.sin() / 3.0 + 1.0);
                [t.cos() / 2.0, (2.0 * t).sin() / 2.0, z]
            }
            Shape::FlatRing => [t.sin(), t.cos(), 0.0],
            Shape::TwistRing => [t.sin(), t.cos(), (2.0 * t).sin()],
            Shape::DoubleTwistRing => [t.sin(), t.cos(), (4.0 * t).cos()],
            Shape::MixedRings | Shape::LockedRings => {
                let half = n / 2;
                let shift = f64::from(u8::from(shape == Shape::LockedRings));
                if i < half {
                    let t = 2.0 * PI * i as f64 / half as f64;
                    [t.sin(), t.cos() + shift, 0.0]
                } else {
                    let t = 2.0 * PI * (i - half) as f64 / (n - half) as f64;
                    [0.0, t.sin(), t.cos()]
                }
            }
            Shape::Line => [i as f64 / (n - 1) as f64, 0.0, 0.0],
            Shape::Torus => {
                let (a, b) = (angle(), angle());
                let from_axis = 10.0 + 4.0 * b.cos();
                [from_axis * a.cos(), from_axis * a.sin(), 4.0 * b.sin()]
            }
            Shape::Sphere => {
                let v: [f64; 3] = std::array::from_fn(|_| StandardNormal.sample(&mut rng));
                let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
                v.map(|x| 10.0 * x / length)
            }
            Shape::SwissRoll => {
                let along = 1.5 * PI * (1.0 + 2.0 * rng.random::<f64>());
                let scale = 10.0 / (4.5 * PI);
                let across = 21.0 * rng.random::<f64>() * scale;
                [
                    scale * along * along.cos(),
                    across,
                    scale * along * along.sin(),
                ]
            }
            Shape::Gaussian => std::array::from_fn(|_| StandardNormal.sample(&mut rng)),
            Shape::Blobs => {
                let mut v: [f64; 3] = std::array::from_fn(|_| StandardNormal.sample(&mut rng));
                v[i % 3] += 10.0 / 2f64.sqrt();
                v
            }
        };
        row.assign(&ndarray::arr1(&point));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eights_cross_and_untangled_ones_do_not() {
        let gap = |shape| {
            let p = points(shape, 400).unwrap();
            // theta = pi/2 and 3 pi/2.
            let d = &p.row(100) - &p.row(300);
            d.dot(&d).sqrt()
        };
        assert!(gap(Shape::FlatEight) < 1e-12 && gap(Shape::TwistEight) < 1e-12);
        assert!((gap(Shape::UntangledFlatEight) - 2.0 / 3.0).abs() < 1e-12);
        assert!((gap(Shape::UntangledTwistEight) - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn surfaces_satisfy_their_equations() {
        for p in points(Shape::Torus, 50).unwrap().rows() {
            let from_axis = p[0].hypot(p[1]) - 10.0;
            assert!((from_axis.hypot(p[2]) - 4.0).abs() < 1e-9);
        }
        for p in points(Shape::Sphere, 50).unwrap().rows() {
            assert!((p.dot(&p).sqrt() - 10.0).abs() < 1e-9);
        }
        for p in points(Shape::SwissRoll, 50).unwrap().rows() {
            assert!(p[0].hypot(p[2]) <= 10.0 + 1e-9);
        }
        assert!(points(Shape::Line, 3).is_err());
        let (a, b) = (Streams::new(1), Streams::new(2));
        let draw = |s: &Streams| random_points(Shape::Blobs, 9, s).unwrap();
        assert_eq!(draw(&a), draw(&a));
        assert_ne!(draw(&a), draw(&b));
    }
}
