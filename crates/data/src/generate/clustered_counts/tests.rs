use super::*;

#[test]
fn counts_have_the_range_of_the_reference_simulation() {
    // Six seeds of the reference gave means of 1.2 to 1.5 and largest counts of 18 to 77. The largest of 15000 exponentials of
    // normal sums scatters widely (30 to 406 over these seeds), so that its median is compared.
    let (mut means, mut largest) = (vec![], vec![]);
    for seed in 0..12 {
        let (recording, truth) =
            clustered_counts(&ClusteredCounts::default(), &Streams::new(seed)).unwrap();
        let values = &recording.traces().unwrap().values;
        let mean = f64::from(values.sum()) / values.len() as f64;
        assert!((1.0..2.0).contains(&mean), "{seed}: {mean}");
        means.push(mean);
        largest.push(values.iter().copied().fold(0.0f32, f32::max));
        let rotating = truth.states.iter().sum::<usize>();
        assert!((100..400).contains(&rotating));
        let (mut at_rest, mut turning) = (0.0f64, 0.0f64);
        for (t, x) in truth.paths.rows().into_iter().enumerate() {
            let size = x.dot(&x).sqrt();
            if truth.states[t] == 0 && t > 0 && truth.states[t - 1] == 0 {
                at_rest = at_rest.max(size);
            } else {
                turning = turning.max(size);
            }
        }
        assert!(at_rest < 1.0 && turning > 1.5, "{at_rest} {turning}");
    }
    let mean = means.iter().sum::<f64>() / 12.0;
    assert!((1.2..1.5).contains(&mean), "{means:?}");
    largest.sort_by(f32::total_cmp);
    let median = 0.5 * (largest[5] + largest[6]);
    assert!((18.0..=77.0).contains(&median), "{largest:?}");
}

#[test]
fn a_rotation_keeps_lengths_and_undoes_itself() {
    let mut rng = Streams::new(1).stream("rotation");
    let turn = rotation(4, 0.3, &mut rng);
    let back = turn.dot(&turn.t());
    assert!(
        back.indexed_iter()
            .all(|((i, j), v)| (v - f64::from(u8::from(i == j))).abs() < 1e-12)
    );
    let trace: f64 = turn.diag().sum();
    assert!((trace - (2.0 + 2.0 * 0.3f64.cos())).abs() < 1e-12);
}

#[test]
fn the_same_seed_plants_the_same_and_settings_are_checked() {
    let config = ClusteredCounts {
        n_bins: 60,
        ..ClusteredCounts::default()
    };
    let one = clustered_counts(&config, &Streams::new(3)).unwrap();
    assert_eq!(one, clustered_counts(&config, &Streams::new(3)).unwrap());
    assert_ne!(
        one.1,
        clustered_counts(&config, &Streams::new(4)).unwrap().1
    );
    assert_eq!(one.0.epochs().last().unwrap().stop_s, 30.0);
    let poisson = ClusteredCounts {
        dispersion: None,
        ..config.clone()
    };
    assert_eq!(
        clustered_counts(&poisson, &Streams::new(3)).unwrap().1,
        one.1
    );
    let refused = |c: ClusteredCounts| c.validate().unwrap_err().field;
    assert_eq!(
        refused(ClusteredCounts {
            growth: 1.2,
            ..config.clone()
        }),
        "growth"
    );
    assert_eq!(
        refused(ClusteredCounts {
            n_bins: 2,
            ..config.clone()
        }),
        "n_bins"
    );
    assert_eq!(
        refused(ClusteredCounts {
            dispersion: Some(0.0),
            ..config
        }),
        "dispersion"
    );
}
