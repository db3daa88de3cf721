//! The experiment: ranks on four tasks, structured starts, and the theory.

use chiasm_core::{Failure, Streams, stats};
use chiasm_lab::{Bench, Findings};
use chiasm_net::recurrent::{Start, starts};
use ndarray::Array2;

use super::config::{Config, Sweep, Task};
use super::nets::{self, Moved, Plan, Source};
use super::worm::{signed, wiring};
use super::{figures, report, theory};
use crate::images;

/// Networks that began in one way.
pub(super) struct Arm {
    pub(super) name: String,
    /// The rank, where the start is one of a sweep.
    pub(super) rank: Option<usize>,
    pub(super) hidden: usize,
    /// Each network; none where it left the finite numbers or fell silent.
    pub(super) nets: Vec<Option<Moved>>,
}

impl Arm {
    pub(super) fn values(&self, of: impl Fn(&Moved) -> f64) -> Vec<f64> {
        self.nets.iter().flatten().map(of).collect()
    }

    pub(super) fn mean(&self, of: impl Fn(&Moved) -> f64) -> f64 {
        stats::mean(&self.values(of))
    }

    fn whole(&self) -> bool {
        self.nets.iter().all(Option::is_some)
    }
}

/// What was measured.
pub(super) struct Results {
    pub(super) theory: theory::Outcome,
    pub(super) sweeps: Vec<(Task, Vec<Arm>)>,
    /// The Gaussian start first.
    pub(super) structured: Vec<Arm>,
    /// Gaussian and connectome.
    pub(super) connectome: Option<[Arm; 2]>,
}

/// A kind of start, for names.
pub(super) fn start_name(start: &Start) -> &'static str {
    match start {
        Start::Gaussian => "gaussian",
        Start::Rank { .. } => "rank",
        Start::Dale { .. } => "dale",
        Start::HeavyTail { .. } => "heavy-tail",
        Start::Blocks { .. } => "cell-types",
        Start::Chain { .. } => "chains",
    }
}

/// Arms of one task: names, ranks and, for each network, a start.
struct Kinds<'a> {
    prefix: String,
    source: &'a Source,
    iterations: usize,
    batch: usize,
    kinds: Vec<(String, Option<usize>)>,
}

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let theory = bench.stage("theory", |bench| theory::run(&config.theory, bench))?;
    let digits = match config.sweeps.iter().any(|s| s.task == Task::Digits) {
        true => Some(load(config, bench)?),
        false => None,
    };
    let digits = digits.as_ref();
    let worm = if config.structured.connectome {
        wiring(bench)?
    } else {
        None
    };
    let kinds = config.sweeps.len();
    let n = config.sweeps.iter().map(|s| s.ranks.len()).sum::<usize>() + kinds;
    bench.watch().stage("networks", (n * config.nets) as u64);
    let mut sweeps = vec![];
    for sweep in &config.sweeps {
        sweeps.push((sweep.task, swept(sweep, digits, config, bench)?));
    }
    let s = &config.structured;
    let source = Source::Drawn(Task::TwoAlternatives);
    let all: Vec<Start> = [Start::Gaussian]
        .into_iter()
        .chain(s.starts.iter().copied())
        .collect();
    let kinds = Kinds {
        prefix: "structured".into(),
        source: &source,
        iterations: s.iterations,
        batch: config.learning.batch,
        kinds: all.iter().map(|s| (start_name(s).into(), None)).collect(),
    };
    let structured = arms(&kinds, config, bench, &|k, streams| {
        // The same bits for all: the norm is that of the same Gaussian matrix.
        Ok(all[k].draw(
            s.hidden,
            config.learning.gain,
            &mut streams.stream("weights"),
        )?)
    })?;
    let connectome = match &worm {
        Some(worm) => {
            let kinds = Kinds {
                prefix: "connectome".into(),
                kinds: vec![("gaussian".into(), None), ("worm".into(), None)],
                ..kinds
            };
            let gain = config.learning.gain;
            let found = arms(&kinds, config, bench, &|k, streams| {
                let n = worm.nrows();
                let full = starts::gaussian(n, gain, &mut streams.stream("weights"))?;
                match k {
                    0 => Ok(full),
                    _ => Ok(signed(worm, starts::norm(full.view()), streams)?),
                }
            })?;
            let mut found = found.into_iter();
            found.next().zip(found.next()).map(|(a, b)| [a, b])
        }
        None => None,
    };
    let results = Results {
        theory,
        sweeps,
        structured,
        connectome,
    };
    report::excuse(&results, config, bench);
    report::report(&results, config, bench)?;
    for figure in figures::all(&results, config) {
        bench.figure(figure)?;
    }
    bench.table(report::table(&results))?;
    Ok(report::findings(&results))
}

/// Digits row by row, to learn from and to test on.
fn load(config: &Config, bench: &mut Bench) -> Result<Source, Failure> {
    let n = config.digits;
    let found = images::load(config.images, (n, n.div_ceil(4)), bench)?;
    let part = |part: &images::Part, n: usize| {
        let n = n.min(part.labels.len());
        let pixels = part.pixels.slice(ndarray::s![..n, ..]).to_owned();
        nets::digits(&pixels, &part.labels[..n])
    };
    let test = n.div_ceil(4);
    Ok(Source::Digits(Box::new([
        part(&found.train, n)?,
        part(&found.test, test)?,
    ])))
}

fn swept(
    sweep: &Sweep,
    digits: Option<&Source>,
    config: &Config,
    bench: &mut Bench,
) -> Result<Vec<Arm>, Failure> {
    let drawn = Source::Drawn(sweep.task);
    let source = match (sweep.task, digits) {
        (Task::Digits, Some(source)) => source,
        _ => &drawn,
    };
    let kinds = Kinds {
        prefix: sweep.task.name().into(),
        source,
        iterations: sweep.iterations,
        batch: match sweep.task {
            Task::Digits => config.digits_batch,
            _ => config.learning.batch,
        },
        kinds: sweep
            .ranks
            .iter()
            .map(|r| (format!("rank {r}"), Some(*r)))
            .collect(),
    };
    arms(&kinds, config, bench, &|k, streams| {
        let mut rng = streams.stream("weights");
        // The same matrix for all ranks of one network.
        let full = starts::gaussian(sweep.hidden, config.learning.gain, &mut rng)?;
        Ok(starts::of_rank(full.view(), sweep.ranks[k])?)
    })
}

type Draw<'a> = &'a (dyn Fn(usize, &Streams) -> Result<Array2<f64>, Failure> + Sync);

/// Trains every network of every kind.
fn arms(
    kinds: &Kinds<'_>,
    config: &Config,
    bench: &mut Bench,
    draw: Draw<'_>,
) -> Result<Vec<Arm>, Failure> {
    let n = kinds.kinds.len();
    let found = bench.arms(n * config.nets, |i, bench| {
        // Networks of one number side by side, so that long and short ones mix.
        let (kind, net) = (i % n, i / n);
        let streams = bench.streams().child(&kinds.prefix).child(&net.to_string());
        let name = format!(
            "{}-{}-net{net}",
            kinds.prefix,
            kinds.kinds[kind].0.replace(' ', "")
        );
        bench.stage(&name, |bench| {
            let start = draw(kind, &streams)?;
            let plan = Plan {
                source: kinds.source,
                start: &start,
                iterations: kinds.iterations,
                batch: kinds.batch,
                learning: &config.learning,
                streams: streams.clone(),
            };
            let hidden = start.nrows();
            Ok((hidden, nets::train(&plan, bench)?))
        })
    })?;
    let mut all: Vec<Arm> = kinds
        .kinds
        .iter()
        .map(|(name, rank)| Arm {
            name: name.clone(),
            rank: *rank,
            hidden: 0,
            nets: vec![],
        })
        .collect();
    for (i, (hidden, moved)) in found.into_iter().enumerate() {
        all[i % n].hidden = hidden;
        all[i % n].nets.push(moved);
    }
    for arm in all.iter().filter(|a| !a.whole()) {
        let lost = arm.nets.iter().filter(|m| m.is_none()).count();
        bench.note(format!(
            "{}, {}: {lost} of {} networks left the finite numbers or fell silent, and are not counted.",
            kinds.source.task().name(),
            arm.name,
            arm.nets.len()
        ));
    }
    Ok(all)
}
