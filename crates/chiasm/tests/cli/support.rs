//! Starting the binaries, and comparing what they leave.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own for each test, in which the binaries are started.
pub(crate) struct Sandbox(TempDir);

/// What a command printed and how it ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// chiasm itself.
    pub(crate) fn chiasm(&self, args: &[&str]) -> Ended {
        self.end(Command::new(env!("CARGO_BIN_EXE_chiasm")).args(args))
    }

    /// The example's catalogue.
    pub(crate) fn toy(&self, args: &[&str]) -> Ended {
        self.end(&mut self.toy_command(args))
    }

    pub(crate) fn toy_command(&self, args: &[&str]) -> Command {
        self.example("own_studies", args)
    }

    /// One of the examples.
    pub(crate) fn example(&self, name: &str, args: &[&str]) -> Command {
        let mut command = Command::new(example(name));
        command.args(args);
        self.prepare(&mut command);
        command
    }

    fn prepare(&self, command: &mut Command) {
        command
            .current_dir(self.path())
            .env_remove("RUST_BACKTRACE");
    }

    fn end(&self, command: &mut Command) -> Ended {
        self.prepare(command);
        Ended::of(command.output().expect("starts"))
    }
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }

    /// Everything, for a snapshot: paths, times and memory are masked by [`masked`].
    pub(crate) fn all(&self) -> String {
        format!(
            "exit {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.code, self.stdout, self.stderr
        )
    }
}

/// Runs the assertion with what differs between two machines masked.
pub(crate) fn masked(assertion: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d{8}T\d{6}Z-[0-9a-f]{8}", "[TIME-HASH]");
    settings.add_filter(r"\d+(\.\d)? s, \d+ MiB at most", "[TIME], [MEMORY]");
    settings.add_filter(r"\S+own_studies\.rs:\d+:\d+", "[PLACE]");
    settings.bind(assertion);
}

/// An example's binary, which `cargo test` builds beside the tests.
fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a path");
    let profile = own
        .parent()
        .and_then(Path::parent)
        .expect("target/PROFILE/deps");
    let example = profile
        .join("examples")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        example.is_file(),
        "{} is missing: build it with `cargo build -p chiasm --examples`",
        example.display()
    );
    example
}

/// Every file below a run's folder, without what differs between two runs of the same plan.
pub(crate) fn results(folder: &Path) -> Vec<(String, Vec<u8>)> {
    fn collect(root: &Path, folder: &Path, all: &mut Vec<(String, Vec<u8>)>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(root, &path, all);
                continue;
            }
            let name = path
                .strip_prefix(root)
                .expect("below")
                .display()
                .to_string();
            let bytes = std::fs::read(&path).expect("readable");
            match name.as_str() {
                "run.json" => {
                    let mut record: Value = serde_json::from_slice(&bytes).expect("JSON");
                    let fields = record.as_object_mut().expect("an object");
                    for differs in ["provenance", "wall_s", "peak_memory_bytes"] {
                        assert!(fields.remove(differs).is_some(), "{differs}");
                    }
                    all.push((name, serde_json::to_vec(&record).expect("JSON")));
                }
                // Shows what is left out above.
                "report.html" => all.push((name, vec![])),
                _ => all.push((name, bytes)),
            }
        }
    }
    let mut all = Vec::new();
    collect(folder, folder, &mut all);
    all.sort();
    all
}
