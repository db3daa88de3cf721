//! `chiasm data`, end to end. What is fetched comes from a server in this process.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chiasm::core::Streams;
use chiasm::data::datasets::{self, test_data};
use chiasm::data::generate::{SpikeAssemblies, spike_assemblies};
use chiasm::data::io::{self, ReadOptions};
use chiasm::data::{Activity, Covariate, DiskFiles, Draft, Missing, Recording, Traces};

use crate::results::assert_valid;
use crate::support::{Ended, Sandbox};

fn command(sandbox: &Sandbox, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chiasm"));
    command
        .args(args)
        .current_dir(sandbox.path())
        .env("CHIASM_DATA", sandbox.join("sets"))
        .env("XDG_CACHE_HOME", sandbox.join("cache"))
        .env("HOME", sandbox.path())
        .env("NO_PROXY", "127.0.0.1");
    command
}

fn chiasm(sandbox: &Sandbox, args: &[&str]) -> Ended {
    Ended::of(command(sandbox, args).output().expect("starts"))
}

/// The message without the line breaks that fit it to a terminal.
fn unwrapped(ended: &Ended) -> String {
    let words: Vec<&str> = ended
        .stderr
        .split_whitespace()
        .filter(|w| *w != "│")
        .collect();
    words.join(" ")
}

/// Sum of the sizes of all files in a folder, bytes; 0 if there is no folder.
fn bytes_in(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter_map(|e| e.metadata().ok())
        .map(|m| m.len())
        .sum()
}

#[test]
fn the_list_names_every_set_and_where_it_is() {
    let sandbox = Sandbox::new();
    let listed = chiasm(&sandbox, &["data", "list", "--json"]);
    assert_eq!(listed.code, Some(0), "{}", listed.all());
    let json = listed.json();
    assert_valid("data-list", &json);
    assert_eq!(json["kind"], "data-list");
    let sets = json["sets"].as_array().expect("a list");
    assert_eq!(sets.len(), datasets::all().len());
    let worms = sets.iter().find(|s| s["name"] == "worms").expect("there");
    assert!(worms["folder"].is_null());
    assert_eq!(
        worms["bytes"],
        datasets::find("worms").expect("there").size()
    );

    let folder = sandbox.join("sets").join("worm");
    fs::create_dir_all(&folder).expect("made");
    for file in datasets::find("worms").expect("there").files {
        fs::write(folder.join(file.name), b"x").expect("written");
    }
    let text = chiasm(&sandbox, &["data", "list"]);
    assert_eq!(text.code, Some(0));
    for set in datasets::all() {
        assert!(text.stdout.contains(set.name), "{}", text.stdout);
    }
    let json = chiasm(&sandbox, &["data", "list", "--json"]).json();
    let worms = json["sets"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|s| s["name"] == "worms");
    assert_eq!(
        worms.expect("there")["folder"],
        folder.display().to_string()
    );

    // Presence is not rightness: --check says so, and ends as bad input does.
    let info = chiasm(&sandbox, &["data", "info", "worms", "--check", "--json"]);
    assert_eq!(info.code, Some(2), "{}", info.all());
    assert_eq!(info.json()["files"][0]["checked"], "differs");
    assert_valid("data-set", &info.json());
    let info = chiasm(&sandbox, &["data", "info", "worms"]);
    assert_eq!(info.code, Some(0));
    for part in [
        "Dag et al.",
        "SHA-256",
        "raw.githubusercontent.com",
        "none stated",
    ] {
        assert!(info.stdout.contains(part), "{part}: {}", info.stdout);
    }
}

#[test]
fn slips_are_answered_with_what_exists() {
    let sandbox = Sandbox::new();
    for (args, part) in [
        (&["data", "get", "wurms"][..], "did you mean `worms`?"),
        (
            &["data", "get", "mnist", "nothing-like-it"],
            "known are: cifar10, collapse-table, fashion-mnist",
        ),
        (
            &["data", "info", "fashion_mnst"],
            "did you mean the data set `fashion-mnist`?",
        ),
        (
            &["data", "info", "no/such/file.h5"],
            "neither a file nor a data set",
        ),
        (
            &["data", "info", "worms/2022-07-26"],
            "2022-07-26-31-data.h5, 2022-07-26-38-data.h5",
        ),
        (
            &["data", "info", "worms/2022-07-26-31"],
            "chiasm data get worms",
        ),
        (
            &["data", "convert", "a.npz", "b.npz"],
            "neither a file nor a data set",
        ),
    ] {
        let ended = chiasm(&sandbox, args);
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.all());
        assert!(
            unwrapped(&ended).contains(part),
            "{args:?}: {}",
            ended.stderr
        );
        assert!(ended.stdout.is_empty());
    }
    assert_eq!(chiasm(&sandbox, &["data"]).code, Some(2));
    assert!(!sandbox.join("sets").exists());
}

/// Serves the files of a folder, ranges included, a piece at a time.
struct Server {
    base: String,
    /// Path and first byte of each request.
    asked: Arc<Mutex<Vec<(String, u64)>>>,
}

impl Server {
    /// Sends a piece of 64 KiB, then pauses, and so on; each connection ends after `cut` bytes.
    fn start(folder: PathBuf, pause: Duration, cut: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        // Lives as long as the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, seen) = (folder.clone(), Arc::clone(&seen));
                std::thread::spawn(move || answer(stream, &folder, pause, cut, &seen));
            }
        });
        Self { base, asked }
    }
}

fn answer(
    mut stream: TcpStream,
    folder: &Path,
    pause: Duration,
    cut: usize,
    asked: &Mutex<Vec<(String, u64)>>,
) -> Option<()> {
    let (mut path, mut from) = (String::new(), 0);
    for line in BufReader::new(&stream).lines() {
        let line = line.ok()?;
        if line.is_empty() {
            break;
        }
        if let Some(rest) = line.strip_prefix("GET /") {
            path = rest.split_whitespace().next()?.into();
        } else if let Some(rest) = line.to_lowercase().strip_prefix("range: bytes=") {
            from = rest.trim_end_matches('-').parse().ok()?;
        }
    }
    asked.lock().ok()?.push((path.clone(), from));
    let Ok(body) = fs::read(folder.join(&path)) else {
        let gone = "HTTP/1.1 404 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return stream.write_all(gone.as_bytes()).ok();
    };
    let part = &body[usize::try_from(from).ok()?..];
    let status = if from > 0 {
        let (last, all) = (body.len() - 1, body.len());
        format!("206 Partial\r\nContent-Range: bytes {from}-{last}/{all}")
    } else {
        "200 OK".into()
    };
    let length = part.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    for piece in part[..cut.min(length)].chunks(1 << 16) {
        stream.write_all(piece).ok()?;
        std::thread::sleep(pause);
    }
    Some(())
}

/// The real files of `worms`; `None`, and a word about it, where they are not on this machine.
#[expect(clippy::print_stderr, reason = "a test that skips says so")]
fn real_worms() -> Option<PathBuf> {
    let folder = test_data("worm");
    if folder.is_none() {
        eprintln!("skipped: the worm recordings are not on this machine");
    }
    folder
}

#[test]
fn a_source_without_the_files_is_told_and_nothing_is_left() {
    let sandbox = Sandbox::new();
    let empty = Server::start(sandbox.path().into(), Duration::ZERO, usize::MAX);
    let ended = chiasm(&sandbox, &["data", "get", "worms", "--from", &empty.base]);
    assert_eq!(ended.code, Some(3), "{}", ended.all());
    assert!(ended.stderr.contains("404"), "{}", ended.stderr);
    let ended = chiasm(
        &sandbox,
        &["data", "get", "worms", "--from", &empty.base, "--json"],
    );
    assert_eq!(ended.json()["error"]["group"], "io");

    // Files of the right names that are others: refused by their length.
    let wrong = sandbox.join("wrong");
    fs::create_dir_all(&wrong).expect("made");
    let first = datasets::find("worms").expect("there").files[0];
    fs::write(wrong.join(first.name), b"not a recording").expect("written");
    let server = Server::start(wrong, Duration::ZERO, usize::MAX);
    let ended = chiasm(&sandbox, &["data", "get", "worms", "--from", &server.base]);
    assert_eq!(ended.code, Some(3), "{}", ended.all());
    assert!(
        unwrapped(&ended).contains("3922184 bytes"),
        "{}",
        ended.stderr
    );
    assert!(!sandbox.join("sets/worm").join(first.name).exists());
}

#[test]
fn killed_while_fetching_it_goes_on_and_ends_whole() {
    let Some(real) = real_worms() else { return };
    let set = datasets::find("worms").expect("there");
    // The register's names are the files' names here.
    let sandbox = Sandbox::new();
    let target = sandbox.join("sets/worm");
    let slow = Server::start(real.clone(), Duration::from_millis(60), usize::MAX);
    let args = ["data", "get", "worms", "--from", &slow.base];
    let mut kept = 0;
    for _ in 0..3 {
        let mut child = command(&sandbox, &args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        // Killed in the middle of the first file, each time further on.
        let began = Instant::now();
        while bytes_in(&target) < kept + 200_000 {
            assert!(began.elapsed() < Duration::from_secs(60), "no bytes came");
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        let names: Vec<String> = fs::read_dir(&target)
            .expect("there")
            .map(|e| {
                e.expect("readable")
                    .file_name()
                    .into_string()
                    .expect("UTF-8")
            })
            .collect();
        assert_eq!(names, [format!(".{}.part", set.files[0].name)]);
        assert!(bytes_in(&target) >= kept + 200_000, "bytes were lost");
        kept = bytes_in(&target);
    }
    assert!(
        kept < set.files[0].size,
        "the kills came too late to test anything"
    );

    let fast = Server::start(real.clone(), Duration::ZERO, 1_000_000);
    let args = ["data", "get", "worms", "--from", &fast.base, "--json"];
    let ended = chiasm(&sandbox, &args);
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert_eq!(
        ended.json()["sets"][0]["files"]
            .as_array()
            .expect("a list")
            .len(),
        5
    );
    for file in set.files {
        assert!(fs::read(target.join(file.name)).ok() == fs::read(real.join(file.name)).ok());
    }
    assert_valid("data-get", &ended.json());
    let n_left = fs::read_dir(&target).expect("there").count();
    assert_eq!(n_left, set.files.len(), "partial files are left");
    // It went on from what the kills had left, and after each cut from where it was.
    let asked = fast.asked.lock().expect("unpoisoned").clone();
    assert_eq!(asked[0], (set.files[0].name.to_string(), kept));
    for two in asked.windows(2).filter(|two| two[0].0 == two[1].0) {
        assert_eq!(two[1].1, two[0].1 + 1_000_000);
    }

    // All here and right: no request, and the checks agree.
    let n_asked = asked.len();
    let again = chiasm(&sandbox, &args).json();
    let files = again["sets"][0]["files"]
        .as_array()
        .expect("a list")
        .clone();
    assert!(files.iter().all(|f| f["fetched"] == false));
    assert_eq!(fast.asked.lock().expect("unpoisoned").len(), n_asked);
    let info = chiasm(&sandbox, &["data", "info", "worms", "--check", "--json"]);
    assert_eq!(info.code, Some(0));
    assert_eq!(info.json()["files"][3]["checked"], "same");

    // And a recording of the set is known by name.
    let worm = chiasm(&sandbox, &["data", "info", "worms/2022-07-26-31", "--json"]).json();
    assert_eq!(worm["n_samples"], 800);
    assert_eq!(worm["activity"], "traces");
    assert!(
        worm["channels"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|c| c["name"] == "velocity")
    );
}

/// A small recording of traces with a channel, in which every value is its own.
fn traces() -> Recording {
    let time = chiasm::core::TimeAxis::Regular {
        start_s: 2.0,
        rate_hz: 4.0,
        len: 50,
    };
    let values = ndarray::Array2::from_shape_fn((50, 3), |(t, u)| (t * 3 + u) as f32 / 7.0);
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: time.clone(),
        values,
        quantity: "dF/F".into(),
    }));
    draft.covariates.push(Covariate {
        name: "velocity".into(),
        unit: "mm/s".into(),
        time,
        values: (0..50).map(|t| f64::from(t).sin()).collect(),
    });
    draft.validate(Missing::Refuse).expect("valid")
}

fn same_activity(a: &Recording, b: &Recording) {
    assert_eq!(a.n_units(), b.n_units());
    match (a.activity(), b.activity()) {
        (Activity::Traces(a), Activity::Traces(b)) => {
            assert_eq!(a.values, b.values);
            for (a, b) in a.time.to_vec().iter().zip(b.time.to_vec()) {
                assert!((a - b).abs() < 1e-9, "{a} {b}");
            }
        }
        (Activity::Spikes(a), Activity::Spikes(b)) => assert_eq!(a.times, b.times),
        _ => panic!("another kind of activity"),
    }
}

const FORMATS: [&str; 4] = ["npz", "csv", "nwb", "parquet"];

#[test]
fn recordings_go_through_every_format_and_back() {
    let sandbox = Sandbox::new();
    let config = SpikeAssemblies {
        duration_s: 20.0,
        ..SpikeAssemblies::default()
    };
    let (spikes, _) = spike_assemblies(&config, &Streams::new(1)).expect("valid");
    let mut all = vec![("traces", traces()), ("spikes", spikes)];
    if let Some(folder) = real_worms() {
        let worm = folder.join("2022-07-26-31-data.h5");
        all.push((
            "worm",
            io::read(worm, &ReadOptions::default()).expect("readable"),
        ));
    }
    for (name, recording) in all {
        let first = sandbox.join(&format!("{name}.npz"));
        io::write(&DiskFiles, &first, &recording).expect("written");
        let mut from = format!("{name}.npz");
        for format in FORMATS {
            let to = format!("{name}-{format}.{format}");
            let ended = chiasm(&sandbox, &["data", "convert", &from, &to, "--json"]);
            assert_eq!(ended.code, Some(0), "{from} to {to}: {}", ended.all());
            assert_eq!(ended.json()["n_units"], recording.n_units());
            assert_valid("recording", &ended.json());
            let read = io::read(sandbox.join(&to), &ReadOptions::default());
            same_activity(&recording, &read.unwrap_or_else(|e| panic!("{to}: {e}")));
            let info = chiasm(&sandbox, &["data", "info", &to]);
            assert_eq!(info.code, Some(0), "{}", info.all());
            assert!(info.stdout.contains("units"), "{}", info.stdout);
            from = to;
        }
        let back = format!("{name}-back.npz");
        let ended = chiasm(&sandbox, &["data", "convert", &from, &back]);
        assert_eq!(ended.code, Some(0), "{}", ended.all());
        let back = io::read(sandbox.join(&back), &ReadOptions::default()).expect("readable");
        same_activity(&recording, &back);
    }
}

#[test]
fn convert_overwrites_nothing_unasked_and_refuses_what_it_cannot_do() {
    let sandbox = Sandbox::new();
    io::write(&DiskFiles, sandbox.join("a.npz"), &traces()).expect("written");
    fs::write(sandbox.join("b.npz"), b"mine").expect("written");
    let ended = chiasm(&sandbox, &["data", "convert", "a.npz", "b.npz"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--force"), "{}", ended.stderr);
    assert_eq!(fs::read(sandbox.join("b.npz")).expect("there"), b"mine");
    let ended = chiasm(&sandbox, &["data", "convert", "a.npz", "b.npz", "--force"]);
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let ended = chiasm(&sandbox, &["data", "convert", "a.npz", "c.docx"]);
    assert_eq!(ended.code, Some(2), "{}", ended.all());
    assert!(!sandbox.join("c.docx").exists());
    fs::write(sandbox.join("bad.npz"), b"PK\x03\x04 and no more").expect("written");
    let ended = chiasm(&sandbox, &["data", "convert", "bad.npz", "d.npz"]);
    assert_eq!(ended.code, Some(2), "{}", ended.all());
    assert!(ended.stderr.contains("bad.npz") && !sandbox.join("d.npz").exists());
    let ended = chiasm(&sandbox, &["data", "info", "a.npz", "--missing", "perhaps"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("drop-units"), "{}", ended.stderr);
}
