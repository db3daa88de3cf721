//! Errors as people see them: what, why, what to do; and panics as internal errors.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use chiasm_core::{Diagnose, Failure, Group, names};
use chiasm_lab::settings::SettingsError;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};

use super::json::{ErrorBody, ErrorJson};
use super::output::{Output, stderr_has_color};
use super::{Exit, exit_of};

/// A name that is not one of those that exist.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unknown {
    /// No such study.
    #[error("no study is called `{given}`")]
    Study {
        given: String,
        known: Vec<&'static str>,
    },
    /// A study that is not built yet.
    #[error("`{name}` is planned, not built yet: {title}")]
    Planned {
        name: &'static str,
        title: &'static str,
        built: Vec<&'static str>,
    },
    /// No such area.
    #[error("no area is called `{given}`")]
    Area {
        given: String,
        known: Vec<&'static str>,
    },
    /// No such verb.
    #[error("no verb is called `{given}`")]
    Verb { given: String, known: Vec<String> },
    /// Neither a run's folder nor a study with a finished run.
    #[error(
        "no run is called `{given}`: neither a folder nor a study with a finished run below runs/"
    )]
    Run { given: String },
}

impl Diagnose for Unknown {
    fn group(&self) -> Group {
        Group::Input
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Study { given, known } => match names::nearest(given, known.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => "`chiasm list` shows all studies".into(),
            },
            Self::Planned { built, .. } if built.is_empty() => {
                "`chiasm list` shows all studies".into()
            }
            Self::Planned { built, .. } => format!("built are: {}", built.join(", ")),
            Self::Area { given, known } => names::suggest(given, known),
            Self::Verb { given, known } => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                names::suggest(given, &known)
            }
            Self::Run { .. } => "give the folder of a run, such as runs/STUDY/TIME-HASH".into(),
        })
    }
}

/// The run in progress, to be named in the message of a panic.
static RUN: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Where and why the last panic happened.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Remembers the folder of the run in progress.
pub(super) fn working_on(run: Option<&Path>) {
    if let Ok(mut current) = RUN.lock() {
        *current = run.map(Path::to_path_buf);
    }
}

/// Runs a verb and reports its failure or its panic.
pub(super) fn guarded(output: &Output, verb: impl FnOnce() -> Result<Exit, Failure>) -> Exit {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let text = format!("{} at {place}", payload_text(info.payload()));
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|v| v != "0") {
            let trace = std::backtrace::Backtrace::force_capture();
            let _ =
                std::io::Write::write_all(&mut std::io::stderr(), format!("{trace}\n").as_bytes());
        }
        if let Ok(mut last) = PANIC.lock() {
            // The first is the cause; those of other threads follow from it.
            last.get_or_insert(text);
        }
    }));
    let outcome = catch_unwind(AssertUnwindSafe(verb));
    drop(std::panic::take_hook());
    match outcome {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            show(output, &Shown::of(&failure));
            exit_of(&failure)
        }
        Err(payload) => {
            let last = PANIC.lock().ok().and_then(|mut p| p.take());
            let what = last.unwrap_or_else(|| payload_text(&*payload));
            let run = RUN.lock().ok().and_then(|r| r.clone());
            show(output, &Shown::internal(&what, run.as_deref()));
            Exit::Internal
        }
    }
}

fn payload_text(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".into())
}

fn show(output: &Output, shown: &Shown) {
    if output.is_json() {
        output.json(&ErrorJson::new(ErrorBody {
            group: shown.code.into(),
            message: shown.message.clone(),
            causes: shown.causes(),
            help: shown.help.clone(),
        }));
    }
    let theme = if stderr_has_color() {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(80)
        .with_links(false);
    if handler.render_report(&mut text, shown).is_err() {
        text = shown.message.clone();
    }
    output.error(&text);
}

/// An error on its way to the terminal.
#[derive(Debug)]
struct Shown {
    code: &'static str,
    message: String,
    help: Option<String>,
    cause: Option<Cause>,
    source: Option<NamedSource<String>>,
    label: Option<LabeledSpan>,
}

/// A chain of causes, as texts.
#[derive(Debug)]
struct Cause {
    message: String,
    next: Option<Box<Cause>>,
}

impl Shown {
    fn of(failure: &Failure) -> Self {
        let code = match failure.group() {
            Group::Input => "input",
            Group::Numerical => "numerical",
            Group::Io => "io",
            Group::Cancelled => "cancelled",
        };
        let cause = failure.source().map(Cause::of);
        // A help that says no more than the cause says nothing.
        let help = failure
            .help()
            .filter(|h| cause.as_ref().is_none_or(|c| c.message != *h));
        let mut shown = Self {
            code,
            message: failure.to_string(),
            help,
            cause,
            source: None,
            label: None,
        };
        if let Some(SettingsError::File {
            path,
            text,
            span: Some(span),
            ..
        }) = failure.downcast_ref::<SettingsError>()
        {
            shown.source = Some(NamedSource::new(path.display().to_string(), text.clone()));
            shown.label = Some(LabeledSpan::at(span.clone(), "here"));
        }
        shown
    }

    fn internal(what: &str, run: Option<&Path>) -> Self {
        let help = match run {
            Some(run) => format!(
                "this is a fault of chiasm: please report it, with the folder {} attached",
                run.display()
            ),
            None => "this is a fault of chiasm: please report it, with the command".into(),
        };
        Self {
            code: "internal",
            message: format!("internal error: {what}"),
            help: Some(help),
            cause: None,
            source: None,
            label: None,
        }
    }

    fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next = self.cause.as_ref();
        while let Some(cause) = next {
            causes.push(cause.message.clone());
            next = cause.next.as_deref();
        }
        causes
    }
}

impl Cause {
    fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        Self {
            message: error.to_string(),
            next: error.source().map(|e| Box::new(Self::of(e))),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.next.as_deref().map(|c| c as _)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|c| c as _)
    }
}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("chiasm::{}", self.code)))
    }
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|h| Box::new(h) as Box<dyn fmt::Display + 'a>)
    }
    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|s| s as _)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = self.label.clone()?;
        Some(Box::new(std::iter::once(label)))
    }
}
