//! What is refused, and by which name.

use chiasm_core::{Cancelled, Quiet, Watch};
use ndarray::Array3;

use super::*;

fn text(e: MmGpVaeError) -> String {
    e.to_string()
}

#[test]
fn settings_out_of_range_are_named() {
    let refused = |change: fn(&mut MmGpVae)| {
        let mut config = MmGpVae::default();
        change(&mut config);
        config.validate().unwrap_err().to_string()
    };
    assert!(MmGpVae::default().validate().is_ok());
    assert!(refused(|c| c.n_shared = 3).contains("n_shared"));
    assert!(refused(|c| c.n_neural = 0).contains("n_neural"));
    assert!(refused(|c| c.n_behavior = 65).contains("n_behavior"));
    assert!(refused(|c| c.alone = 1.5).contains("alone"));
    assert!(refused(|c| c.min_length_bins = 0.0).contains("min_length_bins"));
    assert!(refused(|c| c.max_length_bins = 5.0).contains("max_length_bins"));
    assert!(refused(|c| c.start_length_bins = 5.0).contains("start_length_bins"));
    assert!(refused(|c| c.circle_bins = 1_000_000).contains("circle_bins"));
    assert!(refused(|c| c.condition = 1.0).contains("condition"));
    assert!(refused(|c| c.variance = f64::NAN).contains("variance"));
    assert!(refused(|c| c.floor = 0.0).contains("floor"));
    assert!(refused(|c| c.neural_widths = vec![0]).contains("neural_widths"));
    assert!(refused(|c| c.behavior_widths = vec![99_999]).contains("behavior_widths"));
    assert!(refused(|c| c.start_residual = -1.0).contains("start_residual"));
    assert!(refused(|c| c.behavior_rate = 0.0).contains("behavior_rate"));
    assert!(refused(|c| c.batch = 0).contains("batch"));
    assert!(refused(|c| c.clip = f64::INFINITY).contains("clip"));
    assert!(refused(|c| c.starts = 0).contains("starts"));
    assert!(refused(|c| c.start_epochs = 0).contains("start_epochs"));
}

#[test]
fn data_that_do_not_fit_are_refused_by_name() {
    let made = digits(3, 8, 8);
    let (counts, images) = (made.counts, made.images);
    let new = |n: Option<Array3<f32>>, b: Option<Array3<f32>>| Trials::new(n, b, Missing::Refuse);
    assert!(text(new(None, None).unwrap_err()).contains("no stream"));
    let short = images.slice(ndarray::s![.., ..7, ..]).to_owned();
    let error = text(new(Some(counts.clone()), Some(short)).unwrap_err());
    assert!(
        error.contains("bins") && error.contains('8') && error.contains('7'),
        "{error}"
    );
    let fewer = images.slice(ndarray::s![..2, .., ..]).to_owned();
    assert!(text(new(Some(counts.clone()), Some(fewer)).unwrap_err()).contains("trials"));
    assert!(new(Some(Array3::zeros((0, 4, 2))), None).is_err());
    let mut hole = images.clone();
    hole[[1, 2, 3]] = f32::NAN;
    let error = new(None, Some(hole.clone())).unwrap_err();
    assert!(text(error).contains("trial 1, bin 2, channel 3"));
    assert!(Trials::new(None, Some(hole.clone()), Missing::Mask).is_ok());
    hole[[1, 2, 3]] = f32::INFINITY;
    assert!(Trials::new(None, Some(hole), Missing::Mask).is_err());
    let mut gone = images.clone();
    gone.slice_mut(ndarray::s![1, .., 0]).fill(f32::NAN);
    let error = Trials::new(None, Some(gone), Missing::Mask).unwrap_err();
    assert_eq!(error, MmGpVaeError::EmptyTrial { trial: 1 });

    let fit = |config: MmGpVae, n: Option<Array3<f32>>, b: Option<Array3<f32>>| {
        let trials = Trials::new(n, b, Missing::Refuse).unwrap();
        text(config.fit(&trials, &Streams::new(0), &Quiet).unwrap_err())
    };
    let mut negative = counts.clone();
    negative[[0, 1, 2]] = -1.0;
    assert!(
        fit(small(), Some(negative), Some(images.clone())).contains("trial 0, bin 1, channel 2")
    );
    let halves = counts.mapv(|c| c + 0.5);
    assert!(fit(small(), Some(halves), Some(images.clone())).contains("whole number"));
    assert!(fit(small(), Some(counts.clone()), None).contains("behaviour"));
    assert!(fit(small(), None, Some(images.clone())).contains("neural"));
    let flat = Array3::from_elem(images.dim(), 3.0);
    assert!(fit(small(), Some(counts.clone()), Some(flat)).contains("every value is 3"));
    let silent = Array3::zeros(counts.dim());
    assert!(fit(small(), Some(silent), Some(images.clone())).contains("every value is 0"));
}

#[test]
fn a_fitted_model_reads_only_trials_like_its_own() {
    let made = digits(3, 8, 8);
    let trials = trials_of(&made);
    let fitted = small().fit(&trials, &Streams::new(0), &Quiet).unwrap();
    let other = trials_of(&digits(2, 9, 8));
    assert!(text(fitted.posterior(&other).unwrap_err()).contains("bins"));
    let other = trials_of(&digits(2, 8, 9));
    assert!(text(fitted.reconstruct(&other).unwrap_err()).contains("channels"));
    let fewer = made.counts.slice(ndarray::s![.., .., ..3]).to_owned();
    let other = Trials::new(Some(fewer), None, Missing::Refuse).unwrap();
    assert!(text(fitted.posterior(&other).unwrap_err()).contains("units"));
    assert!(
        fitted
            .decode_behavior(&ndarray::Array2::zeros((2, 5)))
            .is_err()
    );
    // Training kept from another model.
    let wider = MmGpVae {
        neural_widths: vec![7],
        ..small()
    };
    let error = wider.fitted(fitted.training()).unwrap_err();
    assert!(matches!(error, MmGpVaeError::OtherModel { .. }));
}

#[test]
fn a_silent_unit_is_named_and_does_no_harm() {
    let mut made = digits(4, 8, 8);
    made.counts.slice_mut(ndarray::s![.., .., 2]).fill(0.0);
    let trials = trials_of(&made);
    let fitted = small().fit(&trials, &Streams::new(0), &Quiet).unwrap();
    assert!(fitted.warnings()[0].contains("positions 2"));
    let rates = fitted.reconstruct(&trials).unwrap().neural.unwrap();
    assert!(rates.iter().all(|r| r.is_finite()));
}

#[test]
fn training_that_diverges_or_is_stopped_says_so_and_keeps_the_last_epoch() {
    let trials = trials_of(&digits(4, 8, 8));
    let wild = MmGpVae {
        decoder_rate: 1e6,
        epochs: 50,
        ..small()
    };
    let error = wild.fit(&trials, &Streams::new(0), &Quiet).unwrap_err();
    assert!(matches!(error, MmGpVaeError::NotFinite { .. }), "{error}");

    struct Stop(std::sync::atomic::AtomicU64);
    impl Watch for Stop {
        fn stage(&self, _: &str, _: u64) {}
        fn tick(&self, n: u64) {
            self.0.fetch_add(n, std::sync::atomic::Ordering::SeqCst);
        }
        fn cancelled(&self) -> bool {
            self.0.load(std::sync::atomic::Ordering::SeqCst) >= 2
        }
    }
    let streams = Streams::new(0);
    let mut training = small().start(&trials, &streams).unwrap();
    let stop = Stop(0.into());
    let error = small()
        .train(&trials, &mut training, 3, &streams, &stop)
        .unwrap_err();
    assert_eq!(error, MmGpVaeError::Cancelled(Cancelled));
    assert_eq!(training.epochs(), 2);
    small()
        .train(&trials, &mut training, 3, &streams, &Quiet)
        .unwrap();
    let whole = small().fit(&trials, &streams, &Quiet).unwrap();
    assert_eq!(&training, whole.training());
}
