//! Tells the binary where it was built from: commit, compiler, target. None of it is needed to build.

use std::process::Command;

fn main() {
    let out = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let commit = out("git", &["rev-parse", "--short=12", "HEAD"]).map(|commit| {
        match out("git", &["status", "--porcelain", "--untracked-files=no"]) {
            Some(changes) if changes.is_empty() => commit,
            _ => format!("{commit}-dirty"),
        }
    });
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let compiler = out(&rustc, &["--version"]).unwrap_or_default();
    let variable = |name| std::env::var(name).unwrap_or_default();
    println!(
        "cargo::rustc-env=CHIASM_COMMIT={}",
        commit.unwrap_or_default()
    );
    println!("cargo::rustc-env=CHIASM_COMPILER={compiler}");
    println!(
        "cargo::rustc-env=CHIASM_TARGET={}, {}",
        variable("TARGET"),
        variable("PROFILE")
    );
    // A commit moves HEAD's log; where there is none (a tarball), only a change of this file matters.
    println!("cargo::rerun-if-changed=build.rs");
    if let Some(log) = out("git", &["rev-parse", "--git-path", "logs/HEAD"])
        && std::path::Path::new(&log).exists()
    {
        println!("cargo::rerun-if-changed={log}");
    }
}
