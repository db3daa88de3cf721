//! A theory and a simulation, step for step.

use chiasm_core::Watch;

use super::TheoryError;

/// Something that goes on step by step and can be read out: a reduced map, a flow, a whole network.
pub trait Dynamics {
    /// One step.
    ///
    /// # Errors
    /// [`TheoryError::Diverged`] where its state is no longer finite.
    fn step(&mut self) -> Result<(), TheoryError>;

    /// The quantities of interest now, always as many and in the same order.
    fn readout(&self) -> Vec<f64>;

    /// Quantities that the dynamics conserve in continuous time; none by default.
    fn conserved(&self) -> Vec<f64> {
        Vec::new()
    }
}

/// Readouts over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Course {
    /// Steps done at each readout; 0 is the start.
    pub steps: Vec<usize>,
    /// Readouts, `[time, quantity]`.
    pub readouts: Vec<Vec<f64>>,
    /// Conserved quantities, `[time, quantity]`.
    pub conserved: Vec<Vec<f64>>,
}

impl Course {
    fn note(&mut self, step: usize, of: &dyn Dynamics) {
        self.steps.push(step);
        self.readouts.push(of.readout());
        self.conserved.push(of.conserved());
    }

    /// One quantity over time.
    #[must_use]
    pub fn quantity(&self, idx: usize) -> Vec<f64> {
        self.readouts.iter().map(|r| r[idx]).collect()
    }

    /// The readout at the end.
    #[must_use]
    pub fn last(&self) -> &[f64] {
        self.readouts.last().map_or(&[], Vec::as_slice)
    }

    /// How far conserved quantities drift from their start at most, relative to the start where that exceeds 1.
    #[must_use]
    pub fn drift(&self) -> f64 {
        let Some(first) = self.conserved.first() else {
            return 0.0;
        };
        let apart = |(now, start): (&f64, &f64)| (now - start).abs() / start.abs().max(1.0);
        let rows = self.conserved.iter();
        rows.flat_map(|row| row.iter().zip(first).map(apart))
            .fold(0.0, worst)
    }
}

/// The larger one; not a number wins, so that it never passes unseen.
fn worst(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

/// A theory beside a simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What the theory says.
    pub theory: Course,
    /// What the simulation does.
    pub simulation: Course,
}

impl Comparison {
    /// Largest distance between the two over all quantities, at each readout.
    #[must_use]
    pub fn deviation(&self) -> Vec<f64> {
        let pairs = self.theory.readouts.iter().zip(&self.simulation.readouts);
        pairs
            .map(|(a, b)| {
                let apart = a.iter().zip(b).map(|(x, y)| (x - y).abs());
                apart.fold(0.0, worst)
            })
            .collect()
    }

    /// Largest distance at any readout; not a number if any quantity was.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.deviation().into_iter().fold(0.0, worst)
    }
}

/// Runs one of them, reading it out every `every` steps (at least 1), at the start and at the end.
///
/// # Errors
/// Its own; [`TheoryError::Cancelled`].
pub fn course(
    one: &mut dyn Dynamics,
    (steps, every): (usize, usize),
    watch: &dyn Watch,
) -> Result<Course, TheoryError> {
    let mut found = Course::default();
    found.note(0, one);
    for step in 1..=steps {
        one.step()?;
        if step % every.max(1) == 0 || step == steps {
            watch.check()?;
            found.note(step, one);
        }
    }
    Ok(found)
}

/// Runs both for as many steps, reading them out together.
///
/// # Errors
/// [`TheoryError::Shape`] where they read out different numbers of quantities; their own errors.
///
/// ```
/// use chiasm_core::Quiet;
/// use chiasm_net::theory::{Dynamics, TheoryError, side_by_side};
///
/// /// Decay by Euler's steps, and as it is.
/// struct Euler(f64);
/// struct Exact(f64, f64);
/// impl Dynamics for Euler {
///     fn step(&mut self) -> Result<(), TheoryError> {
///         self.0 -= 0.01 * self.0;
///         Ok(())
///     }
///     fn readout(&self) -> Vec<f64> {
///         vec![self.0]
///     }
/// }
/// impl Dynamics for Exact {
///     fn step(&mut self) -> Result<(), TheoryError> {
///         self.1 += 0.01;
///         Ok(())
///     }
///     fn readout(&self) -> Vec<f64> {
///         vec![self.0 * (-self.1).exp()]
///     }
/// }
/// let found = side_by_side(&mut Exact(1.0, 0.0), &mut Euler(1.0), (100, 10), &Quiet)?;
/// assert!(found.largest() < 0.002 && found.deviation()[0] == 0.0);
/// # Ok::<(), TheoryError>(())
/// ```
pub fn side_by_side(
    theory: &mut dyn Dynamics,
    simulation: &mut dyn Dynamics,
    (steps, every): (usize, usize),
    watch: &dyn Watch,
) -> Result<Comparison, TheoryError> {
    let (expected, found) = (theory.readout().len(), simulation.readout().len());
    if expected != found {
        let what = "readout of the simulation";
        return Err(TheoryError::Shape {
            what,
            expected,
            found,
        });
    }
    Ok(Comparison {
        theory: course(theory, (steps, every), watch)?,
        simulation: course(simulation, (steps, every), watch)?,
    })
}
