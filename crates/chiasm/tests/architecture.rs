//! The invariants of `ARCHITECTURE.md`, each held by the test of its name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Crates by folder and floor. Those that do not exist yet keep their floor reserved.
const FLOORS: [(&str, &str, u8); 15] = [
    ("chiasm-core", "core", 1),
    ("chiasm-data", "data", 2),
    ("chiasm-diagram", "diagram", 2),
    ("chiasm-analysis", "analysis", 3),
    ("chiasm-circuit", "circuit", 3),
    ("chiasm-net", "net", 3),
    ("chiasm-probe", "probe", 4),
    ("chiasm-world", "world", 4),
    ("chiasm-lab", "lab", 5),
    ("chiasm-studies", "studies", 6),
    ("chiasm", "chiasm", 7),
    ("chiasm-web", "web", 7),
    ("chiasm-py", "python", 7),
    // Development only: may use anything, and nothing may ship with it.
    ("chiasm-testkit", "testkit", 8),
    ("xtask", "xtask", 8),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn crate_folders() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("crates"))
        .expect("crates/ exists")
        .map(|e| {
            e.expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

/// Every `.rs` file below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for path in entries.map(|e| e.expect("readable").path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The lines of the shipped code in `crates/<folder>/src`: no comments, no test modules or files.
fn shipped_lines(folder: &str) -> Vec<(PathBuf, usize, String)> {
    let mut lines = Vec::new();
    for path in sources(&root().join("crates").join(folder).join("src")) {
        let name = path.file_name().expect("a file").to_string_lossy();
        if name == "tests.rs" || path.components().any(|c| c.as_os_str() == "tests") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("readable");
        for (i, line) in text.lines().enumerate() {
            // By convention a test module closes its file.
            if line.starts_with("#[cfg(test)]") {
                break;
            }
            if !line.trim_start().starts_with("//") {
                lines.push((path.clone(), i + 1, line.to_owned()));
            }
        }
    }
    lines
}

fn assert_absent(folders: &[String], words: &[&str], why: &str) {
    let mut faults = Vec::new();
    for folder in folders {
        for (path, number, line) in shipped_lines(folder) {
            if words.iter().any(|w| line.contains(w)) {
                faults.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "{why}\n{}", faults.join("\n"));
}

fn all_but(exceptions: &[&str]) -> Vec<String> {
    crate_folders()
        .into_iter()
        .filter(|f| !exceptions.contains(&f.as_str()))
        .collect()
}

/// The names under `[dependencies]` (and, if asked, `[dev-dependencies]`) of a manifest.
fn dependencies(folder: &str, development: bool) -> Vec<String> {
    let text = fs::read_to_string(root().join("crates").join(folder).join("Cargo.toml"))
        .expect("every crate has a manifest");
    let mut wanted = false;
    let mut names = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            wanted = line == "[dependencies]" || (development && line == "[dev-dependencies]");
        } else if wanted && !line.is_empty() && !line.starts_with('#') {
            let end = line.find(['.', '=', ' ']).unwrap_or(line.len());
            names.push(line[..end].to_owned());
        }
    }
    names
}

#[test]
fn floors() {
    let floor: BTreeMap<&str, u8> = FLOORS.iter().map(|&(name, _, f)| (name, f)).collect();
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    for folder in crate_folders() {
        let &(name, _, own) = FLOORS
            .iter()
            .find(|(_, f, _)| *f == folder)
            .unwrap_or_else(|| panic!("crates/{folder} has no floor"));
        let row = format!("| {own} | `{name}` | `crates/{folder}` |");
        assert!(
            own == 8 || map.contains(&row),
            "ARCHITECTURE.md lacks the row {row}"
        );
        for dependency in dependencies(&folder, false) {
            if let Some(&below) = floor.get(dependency.as_str()) {
                assert!(
                    below < own,
                    "{name} (floor {own}) must not import {dependency} (floor {below})"
                );
            }
        }
    }
}

#[test]
fn only_data_and_lab_touch_files() {
    assert_absent(
        // The face may name a path, but it reads and writes through the two.
        &all_but(&["data", "lab", "testkit"]),
        &[
            "std::fs",
            "fs::File",
            "File::open",
            "File::create",
            "fs::write",
            "fs::read",
        ],
        "only chiasm-data and chiasm-lab touch files",
    );
}

#[test]
fn only_the_faces_print() {
    assert_absent(
        &all_but(&["chiasm", "web", "python", "testkit"]),
        &["println!", "eprintln!", "print!(", "eprint!(", "dbg!("],
        "only the faces print",
    );
}

#[test]
fn only_net_names_burn() {
    for folder in all_but(&["net"]) {
        let found = dependencies(&folder, true);
        assert!(
            !found.iter().any(|d| d.starts_with("burn")),
            "crates/{folder} names Burn"
        );
    }
}

#[test]
fn inner_crates_are_pure() {
    let inner: Vec<String> = ["core", "analysis", "circuit"]
        .iter()
        .map(|s| (*s).to_owned())
        .filter(|f| crate_folders().contains(f))
        .collect();
    assert_absent(
        &inner,
        &[
            "std::time",
            "Instant::now",
            "SystemTime",
            "std::thread",
            "std::env",
            "std::net",
        ],
        "core, analysis and circuit take clocks, threads and files from their caller",
    );
}

#[test]
fn files_tell_one_story() {
    let long: Vec<String> = crate_folders()
        .iter()
        .flat_map(|f| sources(&root().join("crates").join(f)))
        .filter_map(|path| {
            let lines = fs::read_to_string(&path).expect("readable").lines().count();
            (lines > 600).then(|| format!("{} ({lines} lines)", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "split these files:\n{}", long.join("\n"));
}

#[test]
fn every_study_has_a_page() {
    let docs = root().join("docs/src");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).expect("docs/src/SUMMARY.md");
    for entry in chiasm::studies::catalogue() {
        let page = format!("methods/{}.md", entry.info().name);
        assert!(docs.join(&page).is_file(), "docs/src/{page} is missing");
    }
    let mut open = vec![docs.clone()];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder)
            .expect("readable")
            .map(|e| e.expect("readable").path())
        {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                let page = path
                    .strip_prefix(&docs)
                    .expect("below docs")
                    .to_string_lossy()
                    .into_owned();
                assert!(
                    page == "SUMMARY.md" || summary.contains(&page),
                    "docs/src/SUMMARY.md does not link {page}"
                );
            }
        }
    }
}

#[test]
fn nothing_is_left_open() {
    assert_absent(
        &all_but(&[]),
        &["todo!(", "unimplemented!("],
        "finish it or leave it out",
    );
    for folder in crate_folders() {
        for path in sources(&root().join("crates").join(folder)) {
            let text = fs::read_to_string(&path).expect("readable");
            let skipped = text.lines().any(|l| l.trim_start().starts_with("#[ignore"));
            assert!(!skipped, "{} ignores a test", path.display());
        }
    }
}
