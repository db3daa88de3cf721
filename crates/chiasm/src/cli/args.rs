//! What can be typed: help, man page and completions all come from here.

use std::num::NonZeroU16;
use std::path::PathBuf;

use chiasm_lab::Preset;
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::data::DataArgs;
use super::json::Kind;
use super::simulate::SimulateArgs;

/// The toolkit where biological and artificial neurons cross.
#[derive(Debug, Parser)]
#[command(
    name = "chiasm",
    version,
    max_term_width = 100,
    propagate_version = true
)]
#[command(after_help = "\
Exit codes: 0 done, 1 a claim failed, 2 bad input, 3 internal (or the machine refused), 130 stopped by Ctrl-C.
First steps: chiasm list; chiasm show STUDY; chiasm run STUDY")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) verb: Verb,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub(super) struct Common {
    /// Print the result as JSON (see `chiasm show --schema`)
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Number of threads; results do not depend on it
    #[arg(long, value_name = "N", global = true)]
    pub(super) threads: Option<NonZeroU16>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List the catalogue, one line for each study
    List(ListArgs),
    /// Show a study: what it does, its paper, settings, claims and inputs
    Show(ShowArgs),
    /// Run a study, or with --data its method on your own recording
    Run(RunArgs),
    /// Fit a study's method to your own recording
    Fit(FitArgs),
    /// Simulate a circuit that is described in a TOML file
    Simulate(SimulateArgs),
    /// Write the report of runs anew, and say where it is
    Report(ReportArgs),
    /// Put two runs side by side: claims, metrics, settings
    Compare(CompareArgs),
    /// Data sets and formats
    Data(DataArgs),
    /// Print shell completions
    Completions(CompletionsArgs),
    /// Print the man page, of chiasm or of one verb
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only this area: recordings, spiking, neurons, continual, embodied, microscope, learning, structure
    #[arg(value_name = "AREA")]
    pub(super) area: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The study
    #[arg(value_name = "STUDY", required_unless_present = "schema")]
    pub(super) study: Option<String>,
    /// Print the JSON schema of an output of --json instead
    #[arg(long, value_name = "OUTPUT", conflicts_with = "study")]
    pub(super) schema: Option<Kind>,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The study
    #[arg(value_name = "STUDY")]
    pub(super) study: String,
    /// Your own file: fit the study's method to it instead; may be given several times
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub(super) data: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) how: How,
}

#[derive(Debug, Args)]
pub(super) struct FitArgs {
    /// The study whose method is fitted
    #[arg(value_name = "METHOD")]
    pub(super) method: String,
    /// Your files: NWB, HDF5, MAT, NPZ, NPY, CSV, Parquet
    #[arg(
        value_name = "FILE",
        required_unless_present = "resume",
        conflicts_with = "resume"
    )]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) how: How,
}

/// The options of `run` and `fit`.
#[derive(Debug, Args)]
pub(super) struct How {
    /// The set of settings to start from
    #[arg(long, value_name = "PRESET", value_enum, conflicts_with = "resume")]
    pub(super) preset: Option<PresetArg>,
    /// Take settings from a TOML file, such as another run's config.toml
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub(super) config: Option<PathBuf>,
    /// Change a setting, nested ones by dotted keys; may be given several times
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "resume")]
    pub(super) set: Vec<String>,
    /// The root seed, or the first of --seeds [default: 0]
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub(super) seed: Option<u64>,
    /// Number of seeds, counted up from --seed [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub(super) seeds: Option<NonZeroU16>,
    /// How a file of unknown layout maps to a recording: traces=PATH,time=PATH,axes=time.unit,... or a TOML file
    #[arg(long, value_name = "MAPPING", conflicts_with = "resume")]
    pub(super) map: Option<String>,
    /// What to do with missing samples: refuse, keep, drop-units, drop-frames, interpolate, interpolate=SECONDS
    #[arg(long, value_name = "POLICY", conflicts_with = "resume")]
    pub(super) missing: Option<String>,
    /// Keep only this span of time, s; an end left out is open. What lies outside is not read into memory
    #[arg(
        long,
        value_name = "START,STOP",
        conflicts_with = "resume",
        allow_hyphen_values = true
    )]
    pub(super) span: Option<String>,
    /// What computes
    #[arg(long, value_name = "DEVICE", value_enum, default_value = "cpu")]
    pub(super) device: Device,
    /// The run's folder: new or empty [default: runs/STUDY/TIME-HASH]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Go on with the unfinished run in --out, or with the study's newest one below runs/
    #[arg(long)]
    pub(super) resume: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PresetArg {
    /// Minutes at most
    Quick,
    /// The paper's own scale
    Paper,
}

impl From<PresetArg> for Preset {
    fn from(preset: PresetArg) -> Self {
        match preset {
            PresetArg::Quick => Self::Quick,
            PresetArg::Paper => Self::Paper,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Device {
    /// The processor
    Cpu,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The runs' folders, or studies (their newest finished run below runs/)
    #[arg(value_name = "RUN", required = true)]
    pub(super) runs: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// The first run: a folder, or a study
    #[arg(value_name = "RUN")]
    pub(super) first: PathBuf,
    /// The second run
    #[arg(value_name = "OTHER")]
    pub(super) second: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The verb
    #[arg(value_name = "VERB")]
    pub(super) verb: Option<String>,
}
