//! Bad input ends in its error, and what is not a number stays visible.

use super::*;

fn refused(leak: &[f32], config: &Lif) -> SpikingError {
    let device = Device::flex().autodiff();
    let input = Tensor::<3>::zeros([4, 2, 3], &device);
    let leak = upload(leak.to_vec(), [leak.len()], &device);
    lif(input, leak, config).unwrap_err()
}

#[test]
fn settings_out_of_their_range() {
    let field = |config: Lif| match refused(&[0.5], &config) {
        SpikingError::Setting(e) => e.field,
        other => panic!("{other}"),
    };
    for threshold in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let config = Lif {
            threshold,
            ..Lif::default()
        };
        assert_eq!(field(config), "threshold");
    }
    let with = |surrogate| {
        field(Lif {
            surrogate,
            ..Lif::default()
        })
    };
    assert_eq!(with(Surrogate::Atan { alpha: 0.0 }), "surrogate.alpha");
    let slope = f64::NAN;
    assert_eq!(with(Surrogate::Sigmoid { slope }), "surrogate.slope");
    let (width, height) = (1.0, -1.0);
    assert_eq!(
        with(Surrogate::Triangle { width, height }),
        "surrogate.height"
    );
    let decay = f64::INFINITY;
    let height = 1.0;
    assert_eq!(with(Surrogate::Slayer { decay, height }), "surrogate.decay");
    assert!(leak_of(0.0, 1.0).is_err() && leak_of(1.0, f64::NAN).is_err());
}

#[test]
fn leaks_that_are_none() {
    let leaky = Lif {
        drive: Drive::Leaky,
        ..Lif::default()
    };
    let whole = Lif::default();
    for (leak, config, neuron) in [
        (vec![0.5, 1.1, 0.5], whole, 1),
        (vec![0.5, 0.5, -0.1], whole, 2),
        (vec![f32::NAN], whole, 0),
        (vec![1.0], leaky, 0),
    ] {
        let error = refused(&leak, &config);
        assert!(
            matches!(error, SpikingError::Leak { neuron: n, .. } if n == neuron),
            "{error}"
        );
    }
    let two = refused(&[0.5, 0.5], &whole);
    assert_eq!(
        two.to_string(),
        "leak: expected shape [1] or [3], found [2]"
    );
    let device = Device::flex().autodiff();
    let input = Tensor::<3>::zeros([4, 2, 3], &device);
    let error = lif(input, upload(vec![0.5f64], [1], &device), &whole).unwrap_err();
    assert!(matches!(error, SpikingError::Precision { .. }));
}

#[test]
fn slices_of_another_length() {
    let config = Lif::default();
    let mut six = [0.0f32; 6];
    let mut five = [0.0f32; 5];
    assert!(lif_forward(&config, [3, 1, 2], &[0.5], &mut five, &mut six).is_err());
    assert!(lif_forward(&config, [3, 1, 2], &[0.5], &mut six, &mut five).is_err());
    assert!(lif_forward(&config, [usize::MAX, 2, 3], &[0.5], &mut six, &mut five).is_err());
    assert!(lif_backward(&config, [3, 1, 2], &[0.5], &five, &mut six).is_err());
    assert!(lif_backward(&config, [3, 1, 2], &[0.5], &six, &mut five).is_err());
}

#[test]
fn what_is_not_a_number_stays_so() {
    let device = Device::flex();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut input = vec![0.4f32; 5 * 2];
        input[2] = bad;
        let input = upload(input, [5, 1, 2], &device);
        let leak = Tensor::<1>::from_floats([0.9], &device);
        let spikes = download::<f32, 3>(lif(input, leak, &Lif::default()).unwrap());
        let of = |i: usize| spikes.iter().skip(i).step_by(2).copied();
        assert!(of(1).all(|s| !s.is_nan()), "its neighbour");
        // Minus infinity never spikes, which is right.
        assert_eq!(of(0).last().unwrap().is_nan(), bad != f32::NEG_INFINITY);
    }
}

#[test]
fn no_steps_or_no_batch_is_no_activity() {
    for device in [Device::flex(), Device::flex().autodiff()] {
        for shape in [[0, 2, 3], [2, 0, 3]] {
            let input = Tensor::<3>::zeros(shape, &device);
            let leak = Tensor::<1>::from_floats([0.9], &device);
            let spikes = lif(input.clone(), leak.clone(), &Lif::default()).unwrap();
            assert_eq!(spikes.dims(), shape);
            let spikes = lif_composed(input, leak, &Lif::default()).unwrap();
            assert_eq!(spikes.dims(), shape);
        }
    }
}
