//! The authors' three runs, spike count by spike count and answer by answer.

use chiasm_circuit::ca3::{Cam, Config as Memory, POPULATIONS, first, map, stress};
use chiasm_core::Failure;
use chiasm_lab::Bench;
use chiasm_lab::bench::Table;

use super::figures;

/// Spike counts of the authors' runs, in the order of [`POPULATIONS`].
const COUNTS: [(&str, [usize; 10]); 3] = [
    ("first", [10, 42, 34, 13, 15, 34, 15, 42, 15, 42]),
    ("stress", [45, 251, 194, 75, 102, 194, 102, 251, 102, 251]),
    ("map", [32, 38, 38, 36, 48, 38, 48, 38, 48, 38]),
];
/// The output's cue and content lines among the populations.
const OUT_CUE: usize = 8;
const OUT_CONTENT: usize = 9;
/// Who answers when, in the authors' runs: population, time in ms, lines. At 66 ms the old content of the rewritten cue
/// echoes a last time, but for line 4, which is part of the new content, too.
type Answer = (usize, u32, Vec<u32>);

fn first_answers() -> Vec<Answer> {
    vec![
        (OUT_CONTENT, 36, vec![0, 1, 8, 9]),
        (OUT_CUE, 46, vec![3, 4]),
        (OUT_CUE, 56, vec![0, 3]),
        (OUT_CONTENT, 65, vec![1, 3, 4, 8]),
        (OUT_CONTENT, 66, vec![5, 6]),
        (OUT_CONTENT, 67, vec![1, 3, 4, 8]),
        (OUT_CONTENT, 76, vec![1, 3, 4, 8]),
        (OUT_CUE, 86, vec![4]),
    ]
}

fn map_answers() -> Vec<Answer> {
    vec![
        (OUT_CUE, 118, vec![2, 6, 10, 12, 13, 14]),
        (OUT_CUE, 124, vec![3, 5, 11, 15]),
        (OUT_CUE, 130, vec![1, 7, 9]),
        (OUT_CUE, 136, vec![0, 4, 8]),
    ]
}

/// The stress run asks for each of 5 cues and 10 content lines after each of its three rounds of writing; cue `c` holds the
/// binary digits of `c + 1`, in the second round all others. An operation takes 14 ms, and answers come 6 ms after its start.
fn stress_answers() -> Vec<Answer> {
    let mut answers = vec![];
    for round in 0..3u32 {
        let holds = |cue: u32, bit: u32| (((cue + 1) >> bit) & 1 == 1) != (round == 1);
        let at = |operation: u32| 1 + 14 * (20 * round + operation) + 6;
        for cue in 0..5 {
            let lines = (0..10).filter(|bit| holds(cue, *bit)).collect();
            answers.push((OUT_CONTENT, at(5 + cue), lines));
        }
        for bit in 0..10 {
            let cues = (0..5).filter(|cue| holds(*cue, bit)).collect();
            answers.push((OUT_CUE, at(10 + bit), cues));
        }
    }
    answers
}

/// What differs from the authors' runs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Differing {
    pub(super) counts: usize,
    pub(super) answers: usize,
}

pub(super) fn run(bench: &mut Bench) -> Result<Differing, Failure> {
    let mut all = Differing::default();
    let mut rows = vec![];
    for ((name, expected), experiment) in COUNTS.iter().zip([first(), stress(), map()]) {
        let mut memory = experiment.run(&Memory::default())?;
        let spikes = memory.spikes();
        let counts = spikes.each_ref().map(Vec::len);
        let differing = counts.iter().zip(expected).filter(|(a, b)| a != b).count();
        let answers = match *name {
            "first" => first_answers(),
            "stress" => stress_answers(),
            _ => map_answers(),
        };
        let missed = answers.iter().filter(|(population, time, lines)| {
            let then = spikes[*population].iter().filter(|s| s.0 == *time);
            then.map(|s| s.1).ne(lines.iter().copied())
        });
        let missed = missed.count();
        all.counts += differing;
        all.answers += missed;
        bench.metric(&format!("{name}/counts-differing"), differing as f64, "1")?;
        bench.metric(&format!("{name}/answers-missed"), missed as f64, "1")?;
        let total: usize = counts.iter().sum();
        bench.metric(&format!("{name}/spikes"), total as f64, "1")?;
        rows.push(row(name, &counts, expected));
        let sizes = memory.sizes();
        bench.figure(figures::raster(name, &POPULATIONS, &sizes, &spikes))?;
        match *name {
            "first" => bench.figure(figures::weights(
                &memory.weights(),
                experiment.n_cues,
                experiment.n_bits,
            ))?,
            // Its last cell's cue still echoes up to 112 ms; then there are questions alone.
            "map" => unasked(&spikes[OUT_CUE], bench)?,
            _ => {}
        }
        leave(name, &mut memory, bench)?;
    }
    bench.table(Table {
        id: "spike-counts".into(),
        title: "Spikes of each population in the authors' runs: ours (theirs, where it differs)"
            .into(),
        columns: std::iter::once("run")
            .chain(POPULATIONS)
            .map(Into::into)
            .collect(),
        rows,
    })?;
    Ok(all)
}

fn row(name: &str, counts: &[usize; 10], expected: &[usize; 10]) -> Vec<String> {
    let cells = counts.iter().zip(expected).map(|(ours, theirs)| {
        if ours == theirs {
            ours.to_string()
        } else {
            format!("{ours} ({theirs})")
        }
    });
    std::iter::once(name.to_owned()).chain(cells).collect()
}

/// Spikes of the output's cue lines that answer none of the map's questions.
fn unasked(spikes: &[(u32, u32)], bench: &mut Bench) -> Result<(), Failure> {
    let answers: Vec<u32> = map_answers().iter().map(|a| a.1).collect();
    let late = spikes.iter().filter(|s| s.0 > 112);
    let unasked = late.filter(|s| !answers.contains(&s.0)).count();
    bench.metric("map/spikes-unasked", unasked as f64, "1")
}

fn leave(name: &str, memory: &mut Cam, bench: &mut Bench) -> Result<(), Failure> {
    let recording = memory.recording()?;
    bench.recording(name, recording)
}
