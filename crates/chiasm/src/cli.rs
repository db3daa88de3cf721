//! The command line, over any catalogue of studies. One file for each verb.
//!
//! Results go to stdout, everything else to stderr. Nothing but this module prints.

use std::ffi::OsString;

use chiasm_core::{Failure, Group};
use chiasm_lab::Entry;
use chiasm_lab::run::Build;
use chiasm_studies::System;
use clap::{CommandFactory, FromArgMatches};

mod args;
mod claims;
mod compare;
mod data;
mod errors;
mod fit;
mod json;
mod list;
mod man;
mod output;
mod progress;
mod report;
mod run;
mod show;
mod simulate;
mod text;

use args::{Cli, Verb};
use output::Output;

/// What the command line knows: the studies that are built, and all systems by name.
pub struct Catalogue {
    /// The studies that are built.
    pub entries: Vec<Entry>,
    /// All systems, built or planned.
    pub systems: &'static [System],
}

impl Catalogue {
    /// chiasm's own.
    #[must_use]
    pub fn full() -> Self {
        Self {
            entries: chiasm_studies::catalogue(),
            systems: &chiasm_studies::SYSTEMS,
        }
    }

    /// The study of this name.
    fn entry(&self, name: &str) -> Result<&Entry, Failure> {
        if let Some(entry) = self.entries.iter().find(|e| e.info().name == name) {
            return Ok(entry);
        }
        let built: Vec<&'static str> = self.entries.iter().map(|e| e.info().name).collect();
        if let Some(planned) = self.systems.iter().find(|s| s.name == name) {
            return Err(errors::Unknown::Planned {
                name: planned.name,
                title: planned.title,
                built,
            }
            .into());
        }
        let planned = self.systems.iter().map(|s| s.name);
        let known = built
            .iter()
            .copied()
            .chain(planned.filter(|n| !built.contains(n)));
        Err(errors::Unknown::Study {
            given: name.into(),
            known: known.collect(),
        }
        .into())
    }
}

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Done, and a claim failed.
    ClaimFailed,
    /// The input is at fault: a file, a setting, an argument.
    BadInput,
    /// The machine refused, a computation went wrong, or chiasm itself is at fault.
    Internal,
    /// Stopped by Ctrl-C.
    Stopped,
}

impl Exit {
    /// The exit code: 0, 1, 2, 3, and 130 as shells have it for Ctrl-C.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Done => 0,
            Self::ClaimFailed => 1,
            Self::BadInput => 2,
            Self::Internal => 3,
            Self::Stopped => 130,
        }
    }
}

/// What every verb is given.
struct Context<'a> {
    catalogue: &'a Catalogue,
    build: Build,
    output: Output,
    /// Whether the number of threads was asked for.
    threads_given: bool,
}

/// Runs the command line. Never panics: a panic below becomes [`Exit::Internal`] with a message.
#[must_use]
pub fn main<I>(catalogue: &Catalogue, arguments: I) -> Exit
where
    I: IntoIterator<Item = OsString>,
{
    let matches = match Cli::command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version go to stdout and are no error. A closed pipe is none either.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::BadInput
            } else {
                Exit::Done
            };
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return Exit::BadInput;
        }
    };
    let context = Context {
        catalogue,
        build: build(),
        output: Output::new(cli.common.json, cli.common.quiet),
        threads_given: cli.common.threads.is_some(),
    };
    errors::guarded(&context.output, || {
        if let Some(n) = cli.common.threads {
            // Fails only where a pool exists already: a program that calls this twice keeps its first.
            let _ = rayon::ThreadPoolBuilder::new()
                .num_threads(usize::from(n.get()))
                .build_global();
        }
        match &cli.verb {
            Verb::List(args) => list::list(args, &context),
            Verb::Show(args) => show::show(args, &context),
            Verb::Run(args) => run::run(args, &context),
            Verb::Fit(args) => fit::fit(args, &context),
            Verb::Simulate(args) => simulate::simulate(args, &context),
            Verb::Report(args) => report::report(args, &context),
            Verb::Compare(args) => compare::compare(args, &context),
            Verb::Data(args) => data::data(args, &context),
            Verb::Completions(args) => man::completions(args, &context),
            Verb::Man(args) => man::man(args, &context),
        }
    })
}

/// The exit of a failure.
fn exit_of(failure: &Failure) -> Exit {
    match failure.group() {
        Group::Input => Exit::BadInput,
        Group::Numerical | Group::Io => Exit::Internal,
        Group::Cancelled => Exit::Stopped,
    }
}

fn build() -> Build {
    let commit = env!("CHIASM_COMMIT");
    Build {
        version: env!("CARGO_PKG_VERSION").into(),
        commit: (!commit.is_empty()).then(|| commit.into()),
        compiler: env!("CHIASM_COMPILER").into(),
        target: env!("CHIASM_TARGET").into(),
    }
}
