use chiasm_core::{Quiet, Streams};

use ndarray::Array2;

use super::{plain, planted};
use crate::rsa::bootstrap::tests_only::counts_of_resample;
use crate::rsa::*;

fn arms() -> Vec<Vec<Transform>> {
    let gt = |l, u| Transform::GeoTopological(Thresholds::new(l, u).unwrap());
    vec![
        vec![Transform::Raw],
        vec![Transform::Rank],
        vec![gt(0.2, 0.8), gt(0.1, 0.35)],
        vec![Transform::GeoTopological(Thresholds::step(0.5).unwrap())],
    ]
}

#[test]
fn a_resample_equals_itself_carried_out_in_full() {
    let rdms = planted(4, 3, 8, 5);
    let streams = Streams::new(11);
    let how = Bootstrap {
        n_resamples: 60,
        ..Bootstrap::default()
    };
    let fast = bootstrap(&rdms, &arms(), how, &streams, &Quiet).unwrap();
    assert_eq!(fast.n_flat, 0);
    for i in 0..how.n_resamples {
        let (stimuli, subjects) = counts_of_resample(&rdms, how, &streams, i);
        let drawn: Vec<usize> = stimuli
            .iter()
            .enumerate()
            .flat_map(|(s, &c)| vec![s; c as usize])
            .collect();
        // Every copy of a drawn subject is a row of its own under the subject's one name.
        let mut names: Vec<String> = rdms.labels().iter().map(|l| l.subject.clone()).collect();
        names.sort();
        names.dedup();
        let rows: Vec<usize> = (0..rdms.len())
            .flat_map(|r| {
                let s = names
                    .iter()
                    .position(|n| *n == rdms.labels()[r].subject)
                    .unwrap();
                vec![r; subjects[s] as usize]
            })
            .collect();
        let copied = rdms.select(&rows).unwrap();
        for (arm, transforms) in arms().iter().enumerate() {
            let mut accuracy = 0.0;
            for transform in transforms {
                let vectors: Vec<Vec<f64>> = (0..copied.len())
                    .map(|r| {
                        let d = plain::resampled(&copied.vector(r).to_vec(), &drawn);
                        match transform {
                            Transform::Raw => d,
                            Transform::GeoTopological(t) => plain::transformed(&d, Some(*t)),
                            _ => plain::transformed(&d, None),
                        }
                    })
                    .collect();
                let width = vectors[0].len();
                let vectors =
                    Array2::from_shape_vec((copied.len(), width), vectors.concat()).unwrap();
                accuracy += plain::n_right(&vectors, &copied) as f64 / copied.len() as f64;
            }
            accuracy /= transforms.len() as f64;
            assert!(
                (fast.accuracy[[i, arm]] - accuracy).abs() < 1e-12,
                "resample {i}, arm {arm}: {} and {accuracy}",
                fast.accuracy[[i, arm]]
            );
        }
    }
}

#[test]
fn without_drawing_every_resample_is_the_test_itself() {
    let rdms = planted(4, 3, 8, 6);
    let two_step = Transform::Geodesic(
        Geodesic::TwoStep(Thresholds::new(0.0, 0.4).unwrap()),
        ZeroEdges::Keep,
    );
    let nearest = Transform::Geodesic(Geodesic::KNearest(2), ZeroEdges::Keep);
    let shortest = Transform::Geodesic(Geodesic::PShortest(0.3), ZeroEdges::Missing);
    let arms = [arms(), vec![vec![two_step], vec![nearest], vec![shortest]]].concat();
    let how = Bootstrap {
        n_resamples: 2,
        stimuli: false,
        subjects: false,
        ..Bootstrap::default()
    };
    let result = bootstrap(&rdms, &arms, how, &Streams::new(0), &Quiet).unwrap();
    for (arm, transforms) in arms.iter().enumerate() {
        let accuracy = |t: &Transform| {
            let vectors = t.apply(&rdms).unwrap();
            identify(vectors.view(), rdms.labels()).unwrap().accuracy()
        };
        let mean = transforms.iter().map(accuracy).sum::<f64>() / transforms.len() as f64;
        assert!(
            (result.accuracy[[0, arm]] - mean).abs() < 1e-12,
            "arm {arm}"
        );
        assert_eq!(result.error(arm), 0.0);
    }
    assert_eq!(result.paired_p(1, 1), 1.0);
}

#[test]
fn few_stimuli_give_no_nan() {
    // Nine subjects, five stimuli: where other toolboxes return NaN.
    let rdms = planted(9, 3, 5, 7);
    for duplicates in [Duplicates::Drop, Duplicates::Impute] {
        let how = Bootstrap {
            n_resamples: 300,
            duplicates,
            ..Bootstrap::default()
        };
        let result = bootstrap(&rdms, &arms(), how, &Streams::new(1), &Quiet).unwrap();
        assert!(result.accuracy.iter().all(|a| (0.0..=1.0).contains(a)));
        assert!(result.error(1) > 0.0);
        let p = result.paired_p(0, 1);
        assert!((0.0..=1.0).contains(&p), "{p}");
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let rdms = planted(4, 3, 8, 8);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let how = Bootstrap {
                n_resamples: 40,
                ..Bootstrap::default()
            };
            bootstrap(&rdms, &arms(), how, &Streams::new(9), &Quiet).unwrap()
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let rdms = planted(3, 2, 6, 9);
    let run = |arms: &[Vec<Transform>], how| bootstrap(&rdms, arms, how, &Streams::new(0), &Quiet);
    let few = Bootstrap {
        n_resamples: 1,
        ..Bootstrap::default()
    };
    assert!(run(&arms(), few).is_err());
    assert!(run(&[vec![]], Bootstrap::default()).is_err());
    let impute = Bootstrap {
        duplicates: Duplicates::Impute,
        ..Bootstrap::default()
    };
    let geodesic = vec![vec![Transform::Geodesic(
        Geodesic::KNearest(1),
        ZeroEdges::Keep,
    )]];
    assert!(run(&geodesic, impute).is_err());
}

#[test]
fn noise_has_the_asked_size_and_is_cut_at_zero() {
    let rdms = planted(2, 2, 60, 10);
    let streams = Streams::new(2);
    assert_eq!(
        add_noise(&rdms, 0.0, NoiseScale::PerRdm, &streams)
            .unwrap()
            .values(),
        rdms.values()
    );
    let noisy = add_noise(&rdms, 0.3, NoiseScale::PerRdm, &streams).unwrap();
    for i in 0..rdms.len() {
        let clean = rdms.vector(i).to_vec();
        // Far from 0 nothing is cut: the noise is as large as asked.
        let high = |v: &f64| *v > chiasm_core::stats::quantile(&clean, 0.4);
        let noise: Vec<f64> = (0..clean.len())
            .filter(|&p| high(&clean[p]))
            .map(|p| noisy.vector(i)[p] - clean[p])
            .collect();
        let ratio = chiasm_core::stats::sd(&noise, 0) / chiasm_core::stats::sd(&clean, 0);
        assert!((ratio - 0.3).abs() < 0.03, "{ratio}");
    }
    let drowned = add_noise(&rdms, 5.0, NoiseScale::Pooled, &streams).unwrap();
    assert!(
        drowned.values().iter().all(|&v| v >= 0.0) && drowned.values().iter().any(|&v| v == 0.0)
    );
    assert!(add_noise(&rdms, -1.0, NoiseScale::PerRdm, &streams).is_err());
}
