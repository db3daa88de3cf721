//! Where results and messages go.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;

/// Results to stdout, messages to stderr. A reader that has gone away (`chiasm list | head -1`) is no error.
pub(super) struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    pub(super) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Whether results are asked for as JSON.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// A result: `value` as JSON where that is asked for, else the text.
    pub(super) fn result<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) {
        if self.json {
            self.json(value);
        } else {
            self.text(&text());
        }
    }

    /// A result for people.
    pub(super) fn text(&self, text: &str) {
        write_quietly(anstream::stdout().lock(), text);
    }

    /// A result for programs.
    pub(super) fn json<T: Serialize>(&self, value: &T) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.text(&text),
            // Only a map with keys that are no texts could get here: a fault of ours.
            Err(error) => panic!("a result that is no JSON: {error}"),
        }
    }

    /// A message, unless `--quiet`.
    pub(super) fn message(&self, text: &str) {
        if !self.quiet {
            self.error(text);
        }
    }

    /// A message that `--quiet` does not silence.
    pub(super) fn error(&self, text: &str) {
        write_quietly(anstream::stderr().lock(), text);
    }
}

fn write_quietly(mut to: impl Write, text: &str) {
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    let written = write!(to, "{text}{newline}").and_then(|()| to.flush());
    match written {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            // A full disk behind a redirection: stderr is all that is left.
            let _ = writeln!(io::stderr(), "cannot write the result: {e}");
        }
        _ => {}
    }
}

/// The width to write in: the terminal's, but 60 to 100; 80 elsewhere.
pub(super) fn width() -> usize {
    match terminal_size::terminal_size() {
        Some((terminal_size::Width(w), _)) if io::stdout().is_terminal() => {
            usize::from(w).clamp(60, 100)
        }
        _ => 80,
    }
}

/// Whether messages go to a terminal.
pub(super) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Whether messages may have colors: a terminal, and no NO_COLOR.
pub(super) fn stderr_has_color() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}
