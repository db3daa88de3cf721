//! `chiasm simulate`: a circuit described in a file.

use std::path::{Path, PathBuf};
use std::time::Instant;

use chiasm_circuit::file::{CircuitFile, span_of};
use chiasm_circuit::{CircuitError, Engine, summarize};
use chiasm_core::{Diagnose, Failure, Group, SettingError, Streams};
use chiasm_data::files::write_atomic;
use chiasm_data::{DiskFiles, Recording, io};
use chiasm_lab::draw::{self, Theme};
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};
use chiasm_lab::settings::{SettingsError, read_text};
use clap::Args;

use super::json::{SimulateJson, SimulatedGroup};
use super::progress::Progress;
use super::{Context, Exit, text};

/// Circuits of fewer neurons than this are not worth a second thread.
const WORTH_THREADS: usize = 20_000;
/// Units and seconds shown in a raster.
const RASTER: (usize, f64) = (300, 1.0);
/// Ticks drawn at most for one group.
const TICKS: usize = 20_000;

#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// The circuit, as TOML
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How long to simulate, s [default: the file's duration_s]
    #[arg(long, value_name = "SECONDS")]
    duration: Option<f64>,
    /// The root seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// A population or input whose spikes are recorded; again for more [default: as the file says]
    #[arg(long, value_name = "POPULATION")]
    record: Vec<String>,
    /// Write recordings (NPZ and NWB), raster and summary into this folder: new or empty
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn simulate(args: &SimulateArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    let source = read_text(&args.file)?;
    let refused = |message: String, help: Option<String>, span| SettingsError::File {
        path: args.file.clone(),
        message,
        help,
        text: source.clone(),
        span,
    };
    let at_its_line = |e: SettingError| {
        let span = span_of(&source, &e.field);
        Failure::from(refused(e.to_string(), e.help(), span))
    };
    let mut file = CircuitFile::parse(&source).map_err(|e| {
        let message = format!("not a circuit: {}", e.message);
        let help = "the keys are in the manual: `chiasm simulate --help` names it".to_owned();
        refused(message, Some(help), e.span)
    })?;
    let there: Vec<&String> = file.population.keys().chain(file.input.keys()).collect();
    if let Some(unknown) = args.record.iter().find(|name| !there.contains(name)) {
        let there: Vec<&str> = there.into_iter().map(String::as_str).collect();
        let expected = format!("a population or input of the file: {}", there.join(", "));
        return Err(SettingError::new("--record", expected, unknown).into());
    }
    if !args.record.is_empty() {
        file.record.spikes = Some(args.record.clone());
    }
    let duration_s = args.duration.unwrap_or(file.duration_s);
    let holds = duration_s.is_finite() && duration_s > 0.0;
    let field = if args.duration.is_some() {
        "--duration"
    } else {
        "duration_s"
    };
    SettingError::check(holds, field, "a time above 0 s", duration_s).map_err(at_its_line)?;
    if let Some(out) = &args.out
        && out
            .read_dir()
            .is_ok_and(|mut entries| entries.next().is_some())
    {
        let found = format!("{}, which has files in it", out.display());
        return Err(SettingError::new("--out", "a new or empty folder", found).into());
    }
    let circuit = file.circuit().map_err(at_its_line)?;
    circuit.validate().map_err(at_its_line)?;

    let start = Instant::now();
    let n_neurons: usize = file.population.values().map(|p| p.n).sum();
    let threads = match rayon::current_num_threads() {
        n if n_neurons >= WORTH_THREADS || context.threads_given => n,
        _ => 1,
    };
    let streams = Streams::new(args.seed);
    let built = if threads == 1 {
        circuit.build(&streams)
    } else {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool
            .build()
            .map_err(|e| SettingError::new("--threads", "threads that start", e))?;
        circuit.build_on(&streams, pool)
    };
    let mut engine = built.map_err(|e| match e {
        CircuitError::Setting(e) => at_its_line(e),
        other => other.into(),
    })?;
    let build_s = start.elapsed().as_secs_f64();

    let progress = Progress::start(context.output.is_quiet())?;
    let start = Instant::now();
    let ran = engine.run(duration_s, &progress);
    progress.end();
    let wall_s = start.elapsed().as_secs_f64();
    let stopped = match ran {
        Ok(()) => false,
        Err(e) if e.group() == Group::Cancelled => true,
        Err(e) => return Err(e.into()),
    };

    let spikes = match engine.recording() {
        Ok(recording) => Some(recording),
        Err(CircuitError::Setting(_)) => None,
        Err(e) => return Err(e.into()),
    };
    let mut json = SimulateJson::new(&file.name, args.file.display().to_string());
    json.seed = args.seed;
    json.threads = threads;
    json.dt_ms = file.dt_ms;
    json.simulated_s = engine.time_s();
    json.stopped = stopped;
    json.n_neurons = engine.n_neurons();
    json.n_synapses = engine.n_synapses();
    json.synapse_bytes = engine.synapse_bytes();
    json.build_s = build_s;
    json.wall_s = wall_s;
    json.realtime_factor = (engine.time_s() > 0.0).then(|| wall_s / engine.time_s());
    json.groups = spikes.as_ref().map_or(vec![], |r| {
        let groups = summarize(r, 0.0).into_iter();
        groups
            .map(|g| SimulatedGroup {
                name: g.group,
                n: g.n_units,
                n_spikes: g.n_spikes,
                rate_hz: g.rate_hz,
                cv_isi: g.cv_isi,
            })
            .collect()
    });
    if let Some(out) = &args.out {
        json.files = write(out, &file, spikes.as_ref(), &mut engine)?;
        let summary = out.join("summary.json");
        json.files.push(summary.display().to_string());
        let bytes = serde_json::to_vec_pretty(&json)
            .map_err(|e| SettingError::new("summary.json", "numbers that JSON can hold", e))?;
        write_atomic(&DiskFiles, &summary, &bytes)?;
    }
    context.output.result(&json, || as_text(&json));
    if stopped {
        let kept = if args.out.is_some() {
            "; what was simulated is saved"
        } else {
            ""
        };
        context.output.error(&format!(
            "stopped after {} of {} simulated seconds{kept}",
            text::number(json.simulated_s),
            text::number(duration_s)
        ));
        return Ok(Exit::Stopped);
    }
    if args.out.is_none() {
        context
            .output
            .message("nothing was written: --out DIR keeps recordings and raster");
    }
    Ok(Exit::Done)
}

fn as_text(json: &SimulateJson) -> String {
    let mut table = text::table(&["group", "n", "spikes", "rate (Hz)", "CV of ISI"]);
    for g in &json.groups {
        table.add_row([
            g.name.clone(),
            g.n.to_string(),
            g.n_spikes.to_string(),
            text::number(g.rate_hz),
            g.cv_isi.map_or_else(|| "-".into(), text::number),
        ]);
    }
    let mut lines = vec![format!(
        "{}: {} neurons, {} synapses ({} bytes each)",
        if json.name.is_empty() {
            &json.file
        } else {
            &json.name
        },
        json.n_neurons,
        json.n_synapses,
        text::number(json.synapse_bytes as f64 / json.n_synapses.max(1) as f64),
    )];
    if !json.groups.is_empty() {
        lines.push(table.to_string());
    }
    if let Some(factor) = json.realtime_factor {
        let than = if factor < 1.0 {
            format!("{} times faster than real time", text::number(1.0 / factor))
        } else {
            format!("{} times slower than real time", text::number(factor))
        };
        lines.push(format!(
            "{} s simulated in {} ({than}), after {} of building, {} thread{}",
            text::number(json.simulated_s),
            text::duration(json.wall_s),
            text::duration(json.build_s),
            json.threads,
            if json.threads == 1 { "" } else { "s" },
        ));
    }
    lines.extend(json.files.iter().map(|f| format!("wrote {f}")));
    lines.join("\n")
}

/// Recordings, raster and the circuit itself; the names of the files.
fn write(
    out: &Path,
    file: &CircuitFile,
    spikes: Option<&Recording>,
    engine: &mut Engine,
) -> Result<Vec<String>, Failure> {
    let mut files = vec![];
    let mut recording = |name: &str, recording: &Recording| -> Result<(), Failure> {
        for extension in ["npz", "nwb"] {
            let path = out.join(format!("{name}.{extension}"));
            io::write(&DiskFiles, &path, recording)?;
            files.push(path.display().to_string());
        }
        Ok(())
    };
    if let Some(spikes) = spikes {
        recording("spikes", spikes)?;
    }
    let states = match engine.states() {
        Ok(states) => states,
        // Stopped before the first sample.
        Err(CircuitError::Data(_)) => vec![],
        Err(e) => return Err(e.into()),
    };
    for (state, probe) in states.iter().zip(&file.record.state) {
        recording(&format!("{}-{}", probe.population, probe.variable), state)?;
    }
    if let Some(spikes) = spikes {
        let path = out.join("raster.svg");
        let drawing = draw::svg(&raster(&file.name, spikes), Theme::Light);
        write_atomic(&DiskFiles, &path, drawing.as_bytes())?;
        files.push(path.display().to_string());
    }
    Ok(files)
}

/// The spikes of the last second: some units of every group, and the groups' rates.
fn raster(name: &str, recording: &Recording) -> Figure {
    let (first_s, stop_s) = recording.span_s();
    let start_s = first_s.max(stop_s - RASTER.1);
    let trains = recording.spikes().map_or(&[][..], |s| s.times.as_slice());
    let mut groups: Vec<(String, Vec<&[f64]>)> = vec![];
    for (unit, train) in recording.units().iter().zip(trains) {
        let region = unit.region.clone().unwrap_or_default();
        if groups.last().is_none_or(|g| g.0 != region) {
            groups.push((region, vec![]));
        }
        let train = &train[train.partition_point(|t| *t < start_s)..];
        if let Some(group) = groups.last_mut() {
            group.1.push(train);
        }
    }
    let time = || Axis::new("time", "s").range(start_s, stop_s);
    let mut spikes = Panel::new("", time(), Axis::new("unit", "1")).height(2.0);
    let mut rates = Panel::new("", time(), Axis::new("rate", "Hz"));
    let n: usize = groups.iter().map(|g| g.1.len()).sum();
    let mut row = 0;
    for (name, trains) in &groups {
        let shown = (RASTER.0 * trains.len()).div_ceil(n).clamp(1, trains.len());
        let (mut x, mut y) = (vec![], vec![]);
        for i in 0..shown {
            // Evenly over the group.
            let train = trains[i * trains.len() / shown];
            for t in train.iter().take(TICKS.saturating_sub(x.len())) {
                x.push(*t);
                y.push(f64::from(row));
            }
            row += 1;
        }
        spikes = spikes.with(Mark::Ticks {
            series: name.clone(),
            x,
            y,
        });
        let bins = (((stop_s - start_s) / 0.005).ceil() as usize).max(1);
        let width = (stop_s - start_s) / bins as f64;
        let mut counts = vec![0.0; bins];
        for t in trains.iter().flat_map(|t| t.iter()) {
            counts[(((t - start_s) / width) as usize).min(bins - 1)] += 1.0;
        }
        rates = rates.with(Mark::Line {
            series: name.clone(),
            x: (0..bins)
                .map(|b| start_s + (b as f64 + 0.5) * width)
                .collect(),
            y: counts
                .iter()
                .map(|c| c / width / trains.len() as f64)
                .collect(),
        });
    }
    let title = if name.is_empty() { "Spikes" } else { name };
    let caption =
        "Spikes of units chosen evenly from each group, and each group's rate in bins of 5 ms.";
    Figure::new("raster", title, caption)
        .with(spikes)
        .with(rates)
        .shared_x()
}
