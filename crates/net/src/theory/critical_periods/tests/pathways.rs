use chiasm_core::{Quiet, Streams};
use ndarray::Array2;
use proptest::prelude::*;

use super::super::super::{Dynamics, TheoryError, course, side_by_side};
use super::super::*;

fn gate(start: usize, length: usize) -> Deficit {
    Deficit::gate(Span { start, length })
}

#[test]
fn the_hierarchy_has_its_singular_values() {
    let task = Task::hierarchy().unwrap();
    let roots = [15.0, 7.0, 3.0, 3.0, 1.0, 1.0, 1.0, 1.0];
    for (s, of) in task.singular_values().iter().zip(roots) {
        assert!((s - f64::sqrt(of)).abs() < 1e-14);
    }
    let k = task.strengths(task.outputs());
    assert!(
        k.iter()
            .zip(task.singular_values())
            .all(|(a, b)| (a - b).abs() < 1e-13)
    );
}

#[test]
fn descent_is_the_reduced_dynamics() {
    let (task, streams) = (Task::hierarchy().unwrap(), Streams::new(3));
    for depth in [1, 2, 3, 4, 6] {
        let start = Start {
            depth,
            width: 40,
            ..Start::default()
        };
        let k = start.strengths(&streams).unwrap();
        let deficit = Deficit {
            lesion: (depth == 3).then_some(1),
            ..gate(30, 150)
        };
        let how = (0.01, 600);
        let mut network = TwoPath::new(&task, &start, deficit, how, &streams).unwrap();
        let mut theory = Reduced::new(task.singular_values(), &k, depth, deficit, how).unwrap();
        let found = side_by_side(&mut theory, &mut network, (600, 7), &Quiet).unwrap();
        assert!(
            found.largest() < 1e-12,
            "depth {depth}: {}",
            found.largest()
        );
        // Something was learned, or the comparison says nothing.
        assert!(found.simulation.last()[0] > 1.0);
    }
}

#[test]
fn a_freed_mode_is_taken_only_once_the_gate_opens() {
    let task = Task::hierarchy().unwrap();
    let (s, k) = (task.singular_values(), [0.01; 8]);
    let deficit = Deficit {
        lesion: Some(1),
        ..gate(0, 200)
    };
    let mut theory = Reduced::new(s, &k, 3, deficit, (0.01, 1000)).unwrap();
    let found = course(&mut theory, (1000, 100), &Quiet).unwrap();
    assert!(found.readouts.iter().all(|r| r[1] == 0.0));
    assert!((found.readouts[2][9] - 0.01).abs() < 1e-15);
    assert!((found.last()[9] - s[1]).abs() < 1e-3);
    assert!(found.last()[0] > 0.99 * s[0]);
}

#[test]
fn small_starts_end_where_the_card_has_them() {
    let expected = [(2, 7.2174), (3, 8.7734), (4, 9.2893)];
    for (depth, a) in expected {
        let portrait = Portrait {
            depth,
            s: 10.0,
            step: 0.01,
            steps: 1_000_000,
            gate: Some(Span {
                start: 0,
                length: 5,
            }),
            unfolding: Unfolding::Small,
        };
        let end = portrait.end([0.005; 2]).unwrap();
        assert!(
            (end[0] - a).abs() < 1e-3 && (end[1] - (10.0 - a)).abs() < 1e-3,
            "{end:?}"
        );
        if depth == 2 {
            // By hand: five steps of 1 + dt S each, in p; K is its square.
            assert!((end[0] / end[1] - 1.1f64.powi(10)).abs() < 1e-3);
        }
        let late = Portrait {
            gate: Some(Span {
                start: 500_000,
                length: 10_000,
            }),
            ..portrait
        };
        let end = late.end([0.005; 2]).unwrap();
        assert!((end[0] - end[1]).abs() < 1e-9);
    }
}

#[test]
fn continuous_time_keeps_what_it_should_and_ends_in_closed_form() {
    let s = [2.0];
    for depth in [1, 2, 3, 4, 5] {
        let theory = Reduced::new(&s, &[1e-3], depth, gate(0, 300), (1e-3, 300)).unwrap();
        let mut theory = theory.by(Integrator::Rk4);
        // Unequal pathways, else there is nothing to conserve.
        course(&mut theory, (300, 300), &Quiet).unwrap();
        assert!(theory.conserved()[0].abs() > 1e-3);
        let found = course(&mut theory, (20_000, 100), &Quiet).unwrap();
        assert!(found.drift() < 1e-8, "depth {depth}: {}", found.drift());
    }
    let tau = 0.3;
    let closed = gate(0, 300);
    let run = |depth: usize, k: f64| {
        let theory = Reduced::new(&s, &[k], depth, closed, (1e-3, 300)).unwrap();
        let mut theory = theory.by(Integrator::Rk4);
        course(&mut theory, (300, 300), &Quiet).unwrap();
        let gap = theory.conserved()[0];
        course(&mut theory, (400_000, 400_000), &Quiet).unwrap();
        (
            gap,
            theory.strengths(0)[0] / theory.strengths(1)[0],
            theory.conserved()[0],
        )
    };
    let (_, ratio, _) = run(2, 1e-6);
    assert!(
        (ratio / exponential_ratio(2.0, tau) - 1.0).abs() < 0.01,
        "{ratio}"
    );
    for depth in [3, 4] {
        let (gap, _, after) = run(depth, 1e-4);
        assert!(
            (gap / early_gap(depth, 2.0, tau) - 1.0).abs() < 0.01,
            "{gap}"
        );
        // Unequal from here on, and conserved.
        assert!(
            (after - gap).abs() < 1e-8 * gap.abs().max(1.0),
            "{after} {gap}"
        );
    }
}

#[test]
fn the_sweep_is_the_reduced_dynamics() {
    let (s, k) = ([3.0, 1.5, 0.7], [0.02, 0.015, 0.01]);
    let grid = Grid {
        depths: vec![1, 2, 3, 4, 5, 6],
        onsets: vec![0, 40, 170, 299],
        lengths: vec![0, 1, 200],
    };
    let found = sweep(&s, &k, &grid, (0.01, 500), &Quiet).unwrap();
    for (d, &depth) in grid.depths.iter().enumerate() {
        for (l, &length) in grid.lengths.iter().enumerate() {
            for (o, &onset) in grid.onsets.iter().enumerate() {
                let deficit = gate(onset, length);
                let mut theory = Reduced::new(&s, &k, depth, deficit, (0.01, 500)).unwrap();
                course(&mut theory, (500, 500), &Quiet).unwrap();
                for mode in 0..3 {
                    let [a, b] = found.strengths(d, l, o, mode);
                    assert!((a - theory.strengths(0)[mode]).abs() < 1e-12);
                    assert!((b - theory.strengths(1)[mode]).abs() < 1e-12);
                }
                if length == 0 {
                    assert_eq!(found.damage(d, l, o), 0.0);
                }
            }
        }
        assert!(depth == 1 || found.damage(d, 2, 0) > 0.5);
    }
}

#[test]
fn bad_input_is_refused_by_name() {
    let streams = Streams::new(1);
    let task = Task::hierarchy().unwrap();
    let s = task.singular_values();
    let two = |start: Start, deficit: Deficit, how: (f64, usize)| {
        TwoPath::new(&task, &start, deficit, how, &streams).unwrap_err()
    };
    let start = Start::default();
    let none = Deficit::default();
    let shallow = Start { depth: 0, ..start };
    assert!(
        matches!(two(shallow, none, (0.01, 10)), TheoryError::Setting(e) if e.field == "depth")
    );
    assert!(matches!(
        two(start, gate(5, 6), (0.01, 10)),
        TheoryError::Interval { steps: 10, .. }
    ));
    let lesion = Deficit {
        lesion: Some(8),
        ..none
    };
    assert!(matches!(
        two(start, lesion, (0.01, 10)),
        TheoryError::Mode { modes: 8, .. }
    ));
    let error = two(start, none, (0.07, 10));
    assert!(matches!(error, TheoryError::Rate { depth: 4, .. }));
    assert!(error.to_string().contains("0.0656"), "{error}");
    let narrow = Start { width: 7, ..start };
    assert!(matches!(
        two(narrow, none, (0.01, 10)),
        TheoryError::Shape { found: 7, .. }
    ));
    assert!(matches!(
        Reduced::new(s, &[0.01; 3], 2, none, (0.01, 10)),
        Err(TheoryError::Shape { found: 3, .. })
    ));
    assert!(Reduced::new(s, &[0.0; 8], 2, none, (0.01, 10)).is_err());
    assert!(Reduced::new(s, &[0.01; 8], 2, none, (f64::NAN, 10)).is_err());
    let tilted = Task::new(Array2::from_elem((2, 2), 1.0), Array2::eye(2)).unwrap();
    assert!(matches!(
        tilted.require_white(),
        Err(TheoryError::NotWhite { row: 0, .. })
    ));
    let lone = Task::new(Array2::eye(2), Array2::eye(3));
    assert!(matches!(lone, Err(TheoryError::Shape { found: 3, .. })));
    let odd = Task::new(Array2::eye(2), Array2::from_elem((2, 2), f64::NAN));
    assert!(matches!(
        odd,
        Err(TheoryError::NotFinite {
            what: "outputs",
            ..
        })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Without a deficit pathways share every mode alike; with one, they learn the same sum.
    #[test]
    fn pathways_add_up(depth in 2usize..5, s in 0.5f64..4.0, k in 0.005f64..0.05, start in 0usize..300) {
        let mut none = Reduced::new(&[s], &[k], depth, Deficit::default(), (0.01, 3000)).unwrap();
        let mut some = Reduced::new(&[s], &[k], depth, gate(start, 150), (0.01, 3000)).unwrap();
        course(&mut none, (20_000, 20_000), &Quiet).unwrap();
        course(&mut some, (20_000, 20_000), &Quiet).unwrap();
        prop_assert!(none.shares()[0] == 0.5);
        prop_assert!(some.shares()[0] >= 0.5);
        prop_assert!((some.strengths(0)[0] + some.strengths(1)[0] - s).abs() < 1e-6);
    }

    /// Modes do not know of each other.
    #[test]
    fn modes_are_independent(depth in 2usize..5, a in 0.5f64..3.0, b in 0.5f64..3.0) {
        let grid = Grid { depths: vec![depth], onsets: vec![0, 100], lengths: vec![50] };
        let both = sweep(&[a, b], &[0.01, 0.02], &grid, (0.01, 400), &Quiet).unwrap();
        let turned = sweep(&[b, a], &[0.02, 0.01], &grid, (0.01, 400), &Quiet).unwrap();
        for onset in 0..2 {
            prop_assert_eq!(both.strengths(0, 0, onset, 0), turned.strengths(0, 0, onset, 1));
        }
    }
}
