use ndarray::array;
use proptest::prelude::*;

use super::*;

#[test]
fn every_start_has_the_norm_of_its_gaussian_matrix() {
    let all = [
        Start::Gaussian,
        Start::Rank { rank: 3 },
        Start::Dale { excitatory: 0.8 },
        Start::HeavyTail { sigma: 1.0 },
        Start::Blocks {
            types: 4,
            strength: 1.0,
        },
        Start::Chain { strength: 1.0 },
    ];
    let mut ranks = vec![];
    for start in all {
        let mut rng = Streams::new(4).stream("w");
        let full = starts::gaussian(40, 1.25, &mut rng).unwrap();
        let wanted = starts::norm(full.view());
        let w = start
            .draw(40, 1.25, &mut Streams::new(4).stream("w"))
            .unwrap();
        assert!((starts::norm(w.view()) - wanted).abs() < 1e-12, "{start:?}");
        ranks.push(Spectrum::of(w.view()).unwrap().participation_ratio());
    }
    // Structure lowers the rank in effect.
    assert!(ranks[1..].iter().all(|r| *r < ranks[0]), "{ranks:?}");
    let dale = all[2]
        .draw(40, 1.0, &mut Streams::new(4).stream("w"))
        .unwrap();
    assert!(dale.row(31).iter().all(|w| *w >= 0.0) && dale.row(32).iter().all(|w| *w <= 0.0));
}

#[test]
fn the_spectrum_of_matrices_known_by_hand() {
    // Quarter turn, of length 2, and a direction of its own.
    let w = array![[0.0, -2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 1.0]];
    let found = Spectrum::of(w.view()).unwrap();
    for (s, expected) in found.singular.iter().zip([2.0, 2.0, 1.0]) {
        assert!((s - expected).abs() < 1e-12);
    }
    for (l, expected) in found
        .eigenvalues
        .iter()
        .zip([(0.0, -2.0), (0.0, 2.0), (1.0, 0.0)])
    {
        assert!((l.0 - expected.0).abs() < 1e-12 && (l.1 - expected.1).abs() < 1e-12);
    }
    assert!((found.participation_ratio() - 81.0 / 33.0).abs() < 1e-12);
    assert!((found.effective_rank() - 5.0 / 6.0).abs() < 1e-12);
    assert!((found.radius() - 2.0).abs() < 1e-12);
    let zero = Spectrum::of(Array2::zeros((2, 2)).view()).unwrap();
    assert_eq!(
        (
            zero.participation_ratio(),
            zero.effective_rank(),
            zero.rank(0.1)
        ),
        (0.0, 0.0, 0)
    );
}

#[test]
fn matrices_that_are_no_weights_are_refused() {
    let text = |e: RecurrentError| e.to_string();
    let full = starts::gaussian(5, 1.0, &mut Streams::new(1).stream("w")).unwrap();
    assert!(text(starts::of_rank(full.view(), 0).unwrap_err()).contains("1 to 5"));
    assert!(text(starts::of_rank(full.view(), 6).unwrap_err()).contains("found 6"));
    let wide = Array2::zeros((2, 3));
    assert!(text(starts::of_rank(wide.view(), 1).unwrap_err()).contains("square"));
    let zero = Array2::zeros((3, 3));
    assert!(text(starts::of_rank(zero.view(), 1).unwrap_err()).contains("norm 0"));
    assert!(text(starts::scaled(zero.view(), 2.0).unwrap_err()).contains("norm 0"));
    let mut holes = full.clone();
    holes[[1, 3]] = f64::NAN;
    assert!(text(Spectrum::of(holes.view()).unwrap_err()).contains("row 1, column 3"));
    let config = RecurrentConfig {
        hidden: 5,
        ..RecurrentConfig::default()
    };
    let rng = &mut Streams::new(1).stream("r");
    assert!(Recurrent::<f32>::new(&config, holes.view(), rng).is_err());
    assert!(Recurrent::<f32>::new(&config, wide.view(), rng).is_err());
    assert!(starts::gaussian(5, f64::NAN, rng).is_err());
    assert!(Start::Dale { excitatory: 2.0 }.validate(5).is_err());
    assert!(
        Start::Blocks {
            types: 9,
            strength: 1.0
        }
        .validate(5)
        .is_err()
    );
    assert!((starts::without_mean(full.view()).sum()).abs() < 1e-12);
}

proptest! {
    #[test]
    fn rank_is_what_was_asked_and_the_norm_stays(seed in 0u64..100, rank in 1usize..12) {
        let full = starts::gaussian(12, 1.25, &mut Streams::new(seed).stream("w")).unwrap();
        let low = starts::of_rank(full.view(), rank).unwrap();
        prop_assert!((starts::norm(low.view()) / starts::norm(full.view()) - 1.0).abs() < 1e-12);
        let found = Spectrum::of(low.view()).unwrap();
        prop_assert_eq!(found.rank(1e-10), rank);
    }
}
