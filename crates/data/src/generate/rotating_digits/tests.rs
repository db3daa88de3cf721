use super::*;

fn small() -> RotatingDigits {
    RotatingDigits {
        n_trials: 40,
        n_bins: 30,
        n_units: 6,
        ..RotatingDigits::default()
    }
}

#[test]
fn latents_have_the_variances_and_lengths_asked_for() {
    let config = RotatingDigits {
        n_trials: 400,
        n_units: 1,
        size: 8,
        ..small()
    };
    let made = rotating_digits(&config, None, &Streams::new(1)).unwrap();
    for (latent, variance) in config.variances.iter().enumerate() {
        let mean = f64::from(u8::from(latent == 2));
        let at = |t: usize| {
            made.latents
                .slice(ndarray::s![.., t, latent])
                .mapv(|v| v - mean)
        };
        let of = |a: &ndarray::Array1<f64>, b: &ndarray::Array1<f64>| a.dot(b) / 400.0;
        let (start, later) = (at(3), at(13));
        // 400 trials: the standard error of a variance is sqrt(2 / 400) of it.
        assert!((of(&start, &start) / variance - 1.0).abs() < 4.0 * 0.071);
        let expected = (-0.5f64).exp();
        assert!((of(&start, &later) / variance - expected).abs() < 4.0 * 0.071);
    }
}

#[test]
fn counts_follow_their_rates_and_images_their_pose() {
    let made = rotating_digits(&small(), None, &Streams::new(2)).unwrap();
    // Poisson: the squared error has the rate as its mean.
    let (mut error, mut rate) = (0.0, 0.0);
    for (c, r) in made.counts.iter().zip(&made.rates) {
        error += f64::from(c - r).powi(2);
        rate += f64::from(*r);
    }
    assert!((error / rate - 1.0).abs() < 0.2, "{}", error / rate);
    assert!(made.images.iter().all(|v| (0.0..=255.0).contains(v)));
    // The larger the zoom, the more ink, until the digit leaves the image.
    let still = RotatingDigits {
        zoom: false,
        noise: 0.0,
        ..small()
    };
    let plain = rotating_digits(&still, None, &Streams::new(2)).unwrap();
    assert_eq!(plain.latents, made.latents);
    let ink = |trial: usize, t: usize| plain.images.slice(ndarray::s![trial, t, ..]).sum();
    let (least, most) = (0..30)
        .map(|t| ink(0, t))
        .fold((f32::MAX, 0f32), |(l, m), v| (l.min(v), m.max(v)));
    assert!(least > 0.5 * most && most > 3000.0, "{least} {most}");
}

#[test]
fn a_quarter_turn_turns_the_image() {
    let digit = Drawn {
        radius: 2.75,
        half_stroke: 1.1,
        shift: [0.0, 0.0],
    };
    let draw = |angle: f64| {
        let mut image = ndarray::Array1::<f32>::zeros(400);
        let pose = Pose { angle, zoom: 1.0 };
        pose.render(20, |x, y| digit.grey(x, y, 1.0), &mut image.view_mut());
        image
    };
    let (upright, turned) = (draw(0.0), draw(std::f64::consts::FRAC_PI_2));
    for row in 0..20 {
        for column in 0..20 {
            // Clockwise on the screen: (row, column) goes to (column, 19 - row).
            let gap = upright[row * 20 + column] - turned[column * 20 + 19 - row];
            assert!(gap.abs() < 1e-3);
        }
    }
    // Two arcs of 240 degrees, stroke 2.2: their area, less what they share where they touch.
    let ink = f64::from(upright.sum()) / 255.0;
    let area = 2.0 * 2.75 * 4.0 * std::f64::consts::FRAC_PI_3 * 2.2;
    assert!(ink < 1.25 * area && ink > 0.85 * area, "{ink} {area}");
}

#[test]
fn exemplars_take_the_place_of_the_drawing() {
    let white = Array3::from_elem((2, 4, 4), 200u8);
    let config = RotatingDigits {
        zoom: false,
        noise: 0.0,
        n_trials: 1,
        ..small()
    };
    let made = rotating_digits(&config, Some(&white), &Streams::new(3)).unwrap();
    let image = &made.images;
    assert!((image[[0, 0, 9 * 20 + 9]] - 200.0).abs() < 1e-3 && image[[0, 0, 0]] == 0.0);
    assert!(rotating_digits(&config, Some(&Array3::zeros((0, 4, 4))), &Streams::new(3)).is_err());
}

#[test]
fn trials_stand_alone_and_settings_are_refused_by_name() {
    let few = rotating_digits(
        &RotatingDigits {
            n_trials: 2,
            ..small()
        },
        None,
        &Streams::new(5),
    )
    .unwrap();
    let more = rotating_digits(
        &RotatingDigits {
            n_trials: 3,
            ..small()
        },
        None,
        &Streams::new(5),
    )
    .unwrap();
    assert_eq!(few.images, more.images.slice(ndarray::s![..2, .., ..]));
    assert_eq!(few.counts, more.counts.slice(ndarray::s![..2, .., ..]));
    let refused = |change: fn(&mut RotatingDigits)| {
        let mut config = small();
        change(&mut config);
        rotating_digits(&config, None, &Streams::new(0))
            .unwrap_err()
            .to_string()
    };
    assert!(refused(|c| c.n_trials = 0).contains("n_trials"));
    assert!(refused(|c| c.n_bins = 1).contains("n_bins"));
    assert!(refused(|c| c.size = 7).contains("size"));
    assert!(refused(|c| c.variances[1] = 0.0).contains("variances.1"));
    assert!(refused(|c| c.length_bins = f64::NAN).contains("length_bins"));
    assert!(refused(|c| c.noise = -1.0).contains("noise"));
}
