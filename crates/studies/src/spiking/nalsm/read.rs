//! Reading out: features scaled, a softmax regression learned, tested.

use chiasm_analysis::readout::{Samples, Softmax, Standard, per_total};
use chiasm_core::{Failure, Streams, Watch};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// Features of one part with their labels.
pub(super) type Labelled<'a> = (ArrayView2<'a, f32>, &'a [usize]);

/// How a readout does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Accuracy {
    pub(super) test: f64,
    /// Of the pass that was kept, where there are images to choose it by.
    pub(super) validation: Option<f64>,
}

/// Accuracy on the test of a readout that learned from `train`. Features are divided by their total in each sample, then
/// standardized by the training samples.
pub(super) fn accuracy(
    train: Labelled<'_>,
    validation: Option<Labelled<'_>>,
    test: Labelled<'_>,
    settings: &Softmax,
    streams: &Streams,
    watch: &dyn Watch,
) -> Result<Accuracy, Failure> {
    let x = per_total(train.0)?;
    let standard = Standard::of(x.view())?;
    let scaled = |x: ArrayView2<'_, f32>| -> Result<Array2<f32>, Failure> {
        Ok(standard.apply(per_total(x)?.view())?)
    };
    let x = standard.apply(x.view())?;
    let kept = validation.map(|(x, _)| scaled(x)).transpose()?;
    let chosen = match (&kept, validation) {
        (Some(x), Some((_, labels))) => Some(Samples::new(x.view(), labels, 10)?),
        _ => None,
    };
    let train = Samples::new(x.view(), train.1, 10)?;
    let fitted = settings.fit(&train, chosen.as_ref(), streams, watch)?;
    let y = scaled(test.0)?;
    Ok(Accuracy {
        test: fitted
            .model
            .accuracy(&Samples::new(y.view(), test.1, 10)?)?,
        validation: fitted.validation.into_iter().reduce(f64::max),
    })
}
