use chiasm_core::{Quiet, Streams};
use ndarray::{Array1, Array2, array};

use super::planted;
use crate::stimuli::baseline::{most_exciting, random};
use crate::stimuli::{
    Ascent, Groups, LinearNonlinear, Nonlinearity, Normalization, Postprocess, StepRule,
    StimulusShape, Stop, laplace_loss,
};
use chiasm_data::generate::CellTypes;

#[test]
fn both_rules_reach_the_bound_and_keep_the_norm() {
    let (truth, model, normalization) = planted(&CellTypes::default(), 1);
    let groups = Groups::new(&truth.labels).unwrap();
    let start = random(8, 324, 1.0, &mut Streams::new(1).stream("start"));
    for (rule, step) in [(StepRule::Raw, 5.0), (StepRule::Relative, 0.3)] {
        let ascent = Ascent {
            rule,
            step,
            ..Ascent::default()
        };
        let found = ascent
            .run(&model, &normalization, &groups, start.clone(), &Quiet)
            .unwrap();
        for (k, stimulus) in found.stimuli.rows().into_iter().enumerate() {
            assert!((stimulus.dot(&stimulus).sqrt() - 6.0).abs() < 1e-9);
            let value = found.values[k];
            assert!(
                value <= 8f64.ln() && value > 8f64.ln() - 0.01,
                "{rule:?} {value}"
            );
        }
        assert_eq!(found.steps, [50; 8]);
    }
}

#[test]
fn a_relative_step_goes_on_where_the_gradient_is_gone() {
    let (truth, model, normalization) = planted(&CellTypes::default(), 2);
    let groups = Groups::new(&truth.labels).unwrap();
    let start = random(8, 324, 1.0, &mut Streams::new(1).stream("start"));
    let margin = |rule, step| {
        let ascent = Ascent {
            rule,
            step,
            ..Ascent::default()
        };
        let found = ascent.run(&model, &normalization, &groups, start.clone(), &Quiet);
        let means = groups.means(found.unwrap().responses.view());
        let of = |k: usize| {
            let others = (0..8).filter(|&c| c != k).map(|c| means[[k, c]]);
            means[[k, k]] - others.fold(f64::NEG_INFINITY, f64::max)
        };
        (0..8).map(of).fold(f64::INFINITY, f64::min)
    };
    assert!(margin(StepRule::Relative, 0.3) > margin(StepRule::Raw, 5.0) + 1.0);
}

#[test]
fn clip_smoothness_and_blur_do_what_they_say() {
    let (truth, model, normalization) = planted(&CellTypes::default(), 3);
    let groups = Groups::new(&truth.labels).unwrap();
    let start = random(8, 324, 1.0, &mut Streams::new(1).stream("start"));
    let run = |ascent: &Ascent| {
        ascent
            .run(&model, &normalization, &groups, start.clone(), &Quiet)
            .unwrap()
            .stimuli
    };
    let shape = StimulusShape::image(18, 18);
    let roughness =
        |s: &Array2<f64>| -> f64 { s.rows().into_iter().map(|r| laplace_loss(r, shape)).sum() };
    let plain = Ascent {
        rule: StepRule::Relative,
        step: 0.3,
        ..Ascent::default()
    };
    let rough = roughness(&run(&plain));
    let smooth = Ascent {
        smoothness: 100.0,
        ..plain.clone()
    };
    assert!(roughness(&run(&smooth)) < 0.5 * rough);
    let blurred = Ascent {
        blur_px: 1.5,
        ..plain.clone()
    };
    assert!(roughness(&run(&blurred)) < 0.5 * rough);
    let clipped = Ascent {
        postprocess: Postprocess {
            norm: Some(6.0),
            clip: vec![(-0.5, 0.75)],
            ..Postprocess::default()
        },
        ..plain
    };
    assert!(run(&clipped).iter().all(|v| (-0.5..=0.75).contains(v)));
}

#[test]
fn the_laplacian_of_an_impulse_and_of_a_constant() {
    let shape = StimulusShape::image(5, 5);
    assert!(laplace_loss(Array1::from_elem(25, 3.0).view(), shape) < 1e-20);
    let mut impulse = Array1::zeros(25);
    impulse[12] = 1.0;
    let squares = 9.0 + 4.0 * 0.25 + 4.0 * 0.0625;
    assert!((laplace_loss(impulse.view(), shape) - squares / 25.0).abs() < 1e-12);
    // At a corner the mirror brings each neighbor twice, the diagonal one four times.
    let mut corner = Array1::zeros(25);
    corner[6] = 1.0;
    let at_corner = laplace_loss(corner.view(), shape) * 25.0;

    // Neighbors: (0,0) sees it 4 x 0.25, (0,1) and (1,0) 2 x 0.5, (0,2) and (2,0) 2 x 0.25, (1,2), (2,1) 0.5, (2,2) 0.25.
    let exact = 9.0 + 1.0 + 2.0 + 2.0 * 0.25 + 2.0 * 0.25 + 0.0625;
    assert!((at_corner - exact).abs() < 1e-12, "{at_corner}");
}

#[test]
fn movies_are_clipped_by_channel_after_their_norm_and_smoothed_in_time() {
    let shape = StimulusShape::movie(2, 3, 1, 1);
    let postprocess = Postprocess {
        smooth_frames: 0.0,
        norm: Some(30.0),
        clip: vec![(-0.6, 6.2), (-0.9, 6.2)],
    };
    let mut movie = array![-1.0, 1.0, 0.01, -1.0, 0.0, 1.0];
    postprocess.apply(movie.view_mut(), shape);
    assert_eq!(
        (movie[0], movie[1], movie[3], movie[5]),
        (-0.6, 6.2, -0.9, 6.2)
    );
    let low_pass = Postprocess {
        smooth_frames: 0.5,
        ..Postprocess::default()
    };
    let mut step = array![0.0, 0.0, 1.0, 5.0, 5.0, 5.0];
    low_pass.apply(step.view_mut(), shape);
    // A constant channel stays, a step is rounded, each channel for itself.
    assert!((3..6).all(|i| (step[i] - 5.0).abs() < 1e-12));
    assert!(step[0] > 0.0 && step[0] < step[1] && step[1] < step[2] && step[2] < 1.0);
}

#[test]
fn stimuli_stop_for_themselves() {
    // Two neurons on two pixels: the first pair of stimuli is where it wants to be.
    let shape = StimulusShape::image(1, 2);
    let filters = array![[1.0, 0.0], [0.0, 1.0]];
    let model = LinearNonlinear::new(shape, filters, Nonlinearity::Identity).unwrap();
    let ascent = Ascent {
        steps: 400,
        rule: StepRule::Relative,
        step: 1e-3,
        postprocess: Postprocess {
            norm: Some(1.0),
            ..Postprocess::default()
        },
        stop: Stop::Pixels,
        ..Ascent::default()
    };
    let groups = Groups::new(&[0, 1]).unwrap();
    let half = 0.5f64.sqrt();
    let start = array![[half, -half], [half, half]];
    let found = ascent.run(&model, &Normalization::none(2), &groups, start, &Quiet);
    let found = found.unwrap();
    assert_eq!(found.steps[0], 50);
    assert!(found.steps[1] >= 50);
}

#[test]
fn the_most_exciting_stimulus_of_a_linear_neuron_is_its_filter() {
    let (truth, model, normalization) = planted(&CellTypes::default(), 4);
    let postprocess = Postprocess {
        norm: Some(6.0),
        ..Postprocess::default()
    };
    let mut rng = Streams::new(0).stream("exciting");
    let neurons = [0, 17, 95];
    let found = most_exciting(
        &model,
        &normalization,
        &neurons,
        &postprocess,
        &mut rng,
        &Quiet,
    );
    for (stimulus, i) in found.unwrap().rows().into_iter().zip(neurons) {
        let cosine = stimulus.dot(&truth.filters.row(i)) / 6.0;
        assert!(cosine > 0.999, "{cosine}");
    }
    let beyond = most_exciting(
        &model,
        &normalization,
        &[96],
        &postprocess,
        &mut rng,
        &Quiet,
    );
    assert!(beyond.is_err());
}
