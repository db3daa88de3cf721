//! `chiasm data`: data sets and formats.

use std::path::PathBuf;

use chiasm_core::{Diagnose, Failure, Group};
use clap::{Args, Subcommand};

use super::{Context, Exit};

pub(super) mod json;
mod recordings;
mod sets;

#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct DataArgs {
    #[command(subcommand)]
    verb: DataVerb,
}

#[derive(Debug, Subcommand)]
enum DataVerb {
    /// List the data sets, and which of them are on this machine
    List,
    /// Fetch data sets: resumed where it stopped, checked, and whole or not there at all
    Get(GetArgs),
    /// Show a data set (source, licence, citation, files), or what is in a recording's file
    Info(InfoArgs),
    /// Write a recording in another format: NPZ, NWB, CSV, Parquet
    Convert(ConvertArgs),
}

#[derive(Debug, Args)]
struct GetArgs {
    /// The data sets
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Another source: files are asked for as URL/FILE; sizes and checksums stay those of the register
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// Put the data set's folder here [default: $CHIASM_DATA, else the user's cache]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct InfoArgs {
    /// A data set, a file of one (worms/2022-07-26-31), or a recording's file
    #[arg(value_name = "NAME|FILE")]
    what: String,
    /// Compute the checksums of a data set's files that are here
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    how: Reading,
}

#[derive(Debug, Args)]
struct ConvertArgs {
    /// The recording's file, or a file of a data set (worms/2022-07-26-31)
    #[arg(value_name = "FROM")]
    from: String,
    /// The file to write; its extension is the format: .npz, .nwb, .csv, .parquet
    #[arg(value_name = "TO")]
    to: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    how: Reading,
}

/// How a recording is read.
#[derive(Debug, Args)]
struct Reading {
    /// How a file of unknown layout maps to a recording: traces=PATH,time=PATH,axes=time.unit,... or a TOML file
    #[arg(long, value_name = "MAPPING")]
    map: Option<String>,
    /// What to do with missing samples: refuse, keep, drop-units, drop-frames, interpolate, interpolate=SECONDS
    #[arg(long, value_name = "POLICY")]
    missing: Option<String>,
    /// Keep only this span of time, s; an end left out is open. What lies outside is not read into memory
    #[arg(long, value_name = "START,STOP", allow_hyphen_values = true)]
    span: Option<String>,
}

pub(super) fn data(args: &DataArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    match &args.verb {
        DataVerb::List => sets::list(context),
        DataVerb::Get(args) => sets::get(args, context),
        DataVerb::Info(args) => info(args, context),
        DataVerb::Convert(args) => recordings::convert(args, context),
    }
}

/// A data set's name stands before a file's: `./worms` is the file.
fn info(args: &InfoArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    match chiasm_data::datasets::find(&args.what) {
        Ok(set) => sets::info(set, args.check, context),
        Err(_) => recordings::info(args, context),
    }
}

/// What only the command line refuses.
#[derive(Debug, thiserror::Error)]
enum DataFault {
    /// Nothing is overwritten unasked.
    #[error("{}: there is a file of this name already", path.display())]
    Exists { path: PathBuf },
    /// Neither a file nor a data set.
    #[error("`{given}` is neither a file nor a data set")]
    Neither { given: String, help: String },
}

impl Diagnose for DataFault {
    fn group(&self) -> Group {
        Group::Input
    }
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Exists { .. } => "choose another name, or write over it with --force".into(),
            Self::Neither { help, .. } => help.clone(),
        })
    }
}
