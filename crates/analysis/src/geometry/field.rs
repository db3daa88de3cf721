//! Where the gradient pushes weights at the start of training.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use super::samples::finite;
use super::{Dichotomy, GeometryError};

/// What is left of a direction below this part of the largest input is rounding.
const ROUNDING: f64 = 1e-9;

fn number(what: &'static str, expected: usize, found: usize) -> Result<(), GeometryError> {
    if expected == found {
        Ok(())
    } else {
        Err(GeometryError::Number {
            what,
            expected,
            found,
        })
    }
}

/// Minus the gradient of the mean cross-entropy with respect to each hidden unit's input weights, `[unit, input]`, where
/// the network's output is 1/2 still (paper 23, E): `J_i mean_c (y_c - 1/2) act'(w_i x_c + b_i) x_c`.
///
/// Units of ReLU are moved only by clusters on their own side, towards single ones; of a saturating function that is
/// symmetric, clusters of both sides move them alike, along the difference of the class means.
///
/// `inputs`: `[condition, input]`; `weights`: `[unit, input]`; `biases` and `readout`: one for each unit; `slope`: the
/// derivative of the activation function.
///
/// # Errors
/// [`GeometryError::Number`] for arrays that do not fit; [`GeometryError::NotFinite`].
pub fn weight_field(
    inputs: ArrayView2<'_, f64>,
    dichotomy: &Dichotomy,
    weights: ArrayView2<'_, f64>,
    (biases, readout): (ArrayView1<'_, f64>, ArrayView1<'_, f64>),
    slope: impl Fn(f64) -> f64,
) -> Result<Array2<f64>, GeometryError> {
    finite("inputs", inputs)?;
    finite("weights", weights)?;
    number("inputs of the weights", inputs.ncols(), weights.ncols())?;
    number("biases", weights.nrows(), biases.len())?;
    number("readout weights", weights.nrows(), readout.len())?;
    let n = inputs.nrows();
    number("conditions of the dichotomy", n, dichotomy.n_conditions())?;
    let mut field = Array2::zeros(weights.raw_dim());
    let signs = dichotomy.signs();
    for (i, mut push) in field.rows_mut().into_iter().enumerate() {
        for (x, sign) in inputs.rows().into_iter().zip(&signs) {
            let before = weights.row(i).dot(&x) + biases[i];
            let error = 0.5 * sign;
            push.scaled_add(readout[i] * error * slope(before) / n as f64, &x);
        }
    }
    Ok(field)
}

/// Axes of unit length to look at weights along: from the mean of the negative class to that of the positive one, then, for
/// each class of two or more conditions, from its last condition to its first, less what lies along the axes before it.
/// `[axis, input]`; axes that nothing is left of are absent.
///
/// # Errors
/// [`GeometryError::Number`] for a dichotomy of other conditions; [`GeometryError::NotFinite`].
pub fn class_axes(
    inputs: ArrayView2<'_, f64>,
    dichotomy: &Dichotomy,
) -> Result<Array2<f64>, GeometryError> {
    finite("inputs", inputs)?;
    let n = inputs.nrows();
    number("conditions of the dichotomy", n, dichotomy.n_conditions())?;
    let [positive, negative] = [true, false].map(|class| dichotomy.members(class));
    let mean = |members: &[usize]| -> Array1<f64> {
        let mut sum = Array1::zeros(inputs.ncols());
        for &m in members {
            sum.scaled_add(1.0 / members.len() as f64, &inputs.row(m));
        }
        sum
    };
    let mut wanted = vec![mean(&positive) - mean(&negative)];
    for members in [&positive, &negative] {
        if let [first, .., last] = members[..] {
            wanted.push(&inputs.row(first) - &inputs.row(last));
        }
    }
    let lengths = inputs.rows().into_iter().map(|x| x.dot(&x).sqrt());
    let largest = lengths.fold(0.0, f64::max);
    let mut axes: Vec<Array1<f64>> = vec![];
    for mut axis in wanted {
        for known in &axes {
            let along = known.dot(&axis);
            axis.scaled_add(-along, known);
        }
        let length = axis.dot(&axis).sqrt();
        if length > ROUNDING * largest {
            axes.push(axis / length);
        }
    }
    let mut all = Array2::zeros((axes.len(), inputs.ncols()));
    for (mut row, axis) in all.rows_mut().into_iter().zip(&axes) {
        row.assign(axis);
    }
    Ok(all)
}
