//! Where a run came from: build, machine, clock.

use std::time::SystemTime;

use super::record::Provenance;

/// How the binary was built: known to the face, which hands it in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// Version of chiasm.
    pub version: String,
    /// The commit, if known.
    pub commit: Option<String>,
    /// The compiler.
    pub compiler: String,
    /// Target and profile.
    pub target: String,
}

impl Build {
    /// What checkpoints are marked with: those of another build are not trusted.
    pub(super) fn id(&self) -> String {
        let commit = self.commit.as_deref().unwrap_or("unknown");
        format!("{} {commit} {}", self.version, self.target)
    }
}

impl Provenance {
    /// Takes over what is known of this process.
    pub(super) fn stamp(&mut self, build: &Build) {
        self.version.clone_from(&build.version);
        self.commit.clone_from(&build.commit);
        self.compiler.clone_from(&build.compiler);
        self.target.clone_from(&build.target);
        self.machine = machine();
        self.threads = rayon::current_num_threads();
        self.device = "cpu".into();
    }
}

/// Now, in UTC, as RFC 3339 without fractions.
pub(super) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let processor = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|l| l.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        });
    match processor {
        Some(name) => format!("{system}, {name}, {cores} cores"),
        None => format!("{system}, {cores} cores"),
    }
}

/// The largest resident memory of this process so far, bytes; known on Linux.
#[must_use]
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
