//! Fetching against a server that cuts, corrupts, lies and refuses. Throughout: what stands under the final name is
//! either what stood there before, or the whole right file.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chiasm_core::{Diagnose, Group, Quiet, Watch};
use proptest::prelude::*;

use super::fetch::partial_of;
use super::server::{Act, Server};
use super::*;
use crate::files::{DiskFiles, Files, SyncWrite};

mod full_disk;

const SIZE: usize = 300_000;

fn body() -> Vec<u8> {
    // Not a period of any chunk size, so that misplaced bytes show.
    (0..SIZE as u64)
        .map(|i| (i * i % 251) as u8 ^ (i >> 11) as u8)
        .collect()
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// A data set of one file, `file.bin`, at these addresses.
fn set_at(bases: &[&str]) -> DataSet {
    let temp = tempfile::NamedTempFile::new().unwrap();
    fs::write(temp.path(), body()).unwrap();
    let sha256 = super::get::sha256_of(temp.path(), &Quiet).unwrap();
    let addresses: Vec<&'static str> = bases
        .iter()
        .map(|b| &**leak(format!("{b}/file.bin")))
        .collect();
    DataSet {
        name: "test",
        what: "",
        page: "",
        licence: "",
        citation: "",
        folder: "test",
        system_folders: &[],
        files: leak([RemoteFile {
            name: "file.bin",
            addresses: leak(addresses),
            size: SIZE as u64,
            sha256: leak(sha256),
            unpacked_sha256: None,
            known: Known::Computed,
        }]),
    }
}

fn impatient() -> Get {
    Get {
        from: None,
        patience: Patience {
            per_read: Duration::from_secs(5),
            barren: 3,
            first_pause: Duration::from_millis(1),
        },
    }
}

struct Place {
    temp: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        Self { temp }
    }
    fn path(&self) -> PathBuf {
        self.temp.path().join("file.bin")
    }
    fn partial(&self) -> PathBuf {
        partial_of(&self.path())
    }
    fn run(&self, server: &Server) -> Result<Vec<Got>, FetchError> {
        self.run_at(&[&server.base])
    }
    fn run_at(&self, bases: &[&str]) -> Result<Vec<Got>, FetchError> {
        impatient().run(&set_at(bases), self.temp.path(), &Quiet)
    }
    fn assert_whole(&self) {
        assert!(fs::read(self.path()).unwrap() == body());
        assert!(!self.partial().exists());
    }
    /// Nothing under the final name, and this many bytes in the partial file.
    fn assert_partial(&self, n: Option<usize>) {
        assert!(!self.path().exists());
        let bytes = fs::read(self.partial()).ok();
        assert_eq!(bytes.as_ref().map(Vec::len), n);
        if let Some(bytes) = bytes {
            assert!(bytes == body()[..bytes.len()]);
        }
    }
}

#[test]
fn a_good_server_is_asked_once() {
    let (server, place) = (Server::start(body(), |_| Act::Serve), Place::new());
    let got = place.run(&server).unwrap();
    assert_eq!(
        got,
        [Got {
            path: place.path(),
            fetched: true
        }]
    );
    place.assert_whole();
    assert_eq!(server.asked(), [None]);
    // What is here and right is not fetched again.
    assert!(!place.run(&server).unwrap()[0].fetched);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_server_that_cuts_again_and_again_is_asked_for_the_rest() {
    let server = Server::start(body(), |_| Act::Cut(17_001));
    let place = Place::new();
    place.run(&server).unwrap();
    place.assert_whole();
    // 17 cuts, far more than the attempts without progress that are allowed; each goes on where the last one stopped.
    let expected: Vec<Option<u64>> = (0..18).map(|i| (i > 0).then_some(i * 17_001)).collect();
    assert_eq!(server.asked(), expected);
}

#[test]
fn progress_adds_up_to_the_size() {
    struct Sum(Mutex<Vec<(String, u64, u64)>>);
    impl Watch for Sum {
        fn stage(&self, name: &str, total: u64) {
            self.0.lock().unwrap().push((name.into(), total, 0));
        }
        fn tick(&self, n: u64) {
            self.0.lock().unwrap().last_mut().unwrap().2 += n;
        }
        fn cancelled(&self) -> bool {
            false
        }
    }
    let act = |n| if n < 3 { Act::Cut(50_000) } else { Act::Serve };
    let (server, place) = (Server::start(body(), act), Place::new());
    let watch = Sum(Mutex::default());
    impatient()
        .run(&set_at(&[&server.base]), place.temp.path(), &watch)
        .unwrap();
    let stages = watch.0.into_inner().unwrap();
    let size = SIZE as u64;
    assert_eq!(
        stages,
        [
            ("fetch file.bin".to_string(), size, size),
            ("check file.bin".to_string(), size, size)
        ]
    );
}

#[test]
fn corrupt_bytes_are_thrown_away_and_both_sums_are_told() {
    let (server, place) = (Server::start(body(), |_| Act::Corrupt), Place::new());
    let error = place.run(&server).unwrap_err();
    let FetchError::Checksum {
        expected, found, ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!((expected.len(), found.len()), (64, 64));
    assert_ne!(expected, found);
    assert_eq!(error.group(), Group::Io);
    assert!(error.help().is_some());
    place.assert_partial(None);
}

#[test]
fn a_stale_partial_file_gets_a_second_chance() {
    let (server, place) = (Server::start(body(), |_| Act::Serve), Place::new());
    fs::write(place.partial(), vec![9; 1000]).unwrap();
    place.run(&server).unwrap();
    place.assert_whole();
    assert_eq!(server.asked(), [Some(1000), None]);
    // One that is longer than the file can be nothing of it.
    let place = Place::new();
    fs::write(place.partial(), vec![9; SIZE + 1]).unwrap();
    place.run(&server).unwrap();
    place.assert_whole();
    // One that was whole when the process died needs no server at all.
    let place = Place::new();
    fs::write(place.partial(), body()).unwrap();
    place.run_at(&["http://127.0.0.1:9"]).unwrap();
    place.assert_whole();
}

#[test]
fn a_corrupt_byte_in_a_later_part_is_found_too() {
    let act = |n| match n {
        0 => Act::Cut(1000),
        1 => Act::Corrupt,
        _ => Act::Serve,
    };
    let (server, place) = (Server::start(body(), act), Place::new());
    place.run(&server).unwrap();
    place.assert_whole();
    assert_eq!(server.asked(), [None, Some(1000), None]);
}

#[test]
fn statuses_are_told_and_only_those_that_may_pass_are_tried_again() {
    for (status, n_asked) in [(404, 1), (403, 1), (410, 1), (500, 3), (503, 3), (429, 3)] {
        let server = Server::start(body(), move |_| Act::Status(status));
        let place = Place::new();
        let error = place.run(&server).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with(&format!("the server answered {status}"))
        );
        assert_eq!(server.asked().len(), n_asked);
        place.assert_partial(Some(0));
    }
    let act = |n| if n < 2 { Act::Status(503) } else { Act::Serve };
    let (server, place) = (Server::start(body(), act), Place::new());
    place.run(&server).unwrap();
    place.assert_whole();
}

#[test]
fn a_server_without_ranges_is_served_from_the_start() {
    let act = |n| {
        if n == 0 {
            Act::Cut(100_000)
        } else {
            Act::IgnoreRange
        }
    };
    let (server, place) = (Server::start(body(), act), Place::new());
    place.run(&server).unwrap();
    place.assert_whole();
    assert_eq!(server.asked(), [None, Some(100_000)]);
    // If it also always cuts at the same place, that is said after a few attempts.
    let (server, place) = (
        Server::start(body(), |_| Act::IgnoreRangeCut(5000)),
        Place::new(),
    );
    let error = place.run(&server).unwrap_err();
    assert!(
        matches!(error, FetchError::Network { received: 5000, .. }),
        "{error}"
    );
    assert_eq!(server.asked().len(), 4);
    place.assert_partial(Some(5000));
}

#[test]
fn a_wrong_range_is_not_taken_for_the_right_one() {
    let act = |n| match n {
        0 => Act::Cut(100_000),
        1 => Act::WrongRange,
        _ => Act::Serve,
    };
    let (server, place) = (Server::start(body(), act), Place::new());
    place.run(&server).unwrap();
    place.assert_whole();
    assert_eq!(server.asked(), [None, Some(100_000), None]);
}

#[test]
fn a_length_that_is_not_the_registered_one_is_refused() {
    for (act, found) in [
        (Act::Announce(10), SIZE + 10),
        (Act::Announce(-10), SIZE - 10),
        (Act::Longer, SIZE + 1),
    ] {
        let (server, place) = (Server::start(body(), move |_| act), Place::new());
        let error = place.run(&server).unwrap_err().to_string();
        let expected = format!("expected a file of {SIZE} bytes, found {found}");
        assert!(error.ends_with(&expected), "{act:?}: {error}");
        assert!(!place.path().exists());
    }
    // Without a length the end of the connection is all there is to see; too early is not whole.
    let (server, place) = (Server::start(body(), |_| Act::Unsized(7)), Place::new());
    let error = place.run(&server).unwrap_err().to_string();
    assert!(
        error.contains(&format!("ended early, at byte 7 of {SIZE}")),
        "{error}"
    );
    place.assert_partial(Some(7));
    let (server, place) = (Server::start(body(), |_| Act::Unsized(SIZE)), Place::new());
    place.run(&server).unwrap();
    place.assert_whole();
}

#[test]
fn a_server_that_falls_silent_is_asked_again() {
    let act = |n| if n == 0 { Act::Stall(4000) } else { Act::Serve };
    let (server, place) = (Server::start(body(), act), Place::new());
    let mut get = impatient();
    get.patience.per_read = Duration::from_millis(400);
    get.patience.barren = 20;
    get.run(&set_at(&[&server.base]), place.temp.path(), &Quiet)
        .unwrap();
    place.assert_whole();
    assert_eq!(server.asked()[..2], [None, Some(4000)]);
}

#[test]
fn the_next_address_goes_on_where_the_last_one_failed() {
    let bad = Server::start(body(), |n| {
        if n == 0 {
            Act::Cut(9000)
        } else {
            Act::Status(404)
        }
    });
    let good = Server::start(body(), |_| Act::Serve);
    let place = Place::new();
    place.run_at(&[&bad.base, &good.base]).unwrap();
    place.assert_whole();
    assert_eq!(good.asked(), [Some(9000)]);
    let gone = Server::start(body(), |_| Act::Status(404));
    let place = Place::new();
    let error = place
        .run_at(&[&gone.base, "http://127.0.0.1:9"])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("none of its 2 addresses") && error.contains("404"),
        "{error}"
    );
    assert!(error.contains("127.0.0.1:9"));
}

#[test]
fn another_source_serves_the_registered_files_alone() {
    let (server, place) = (Server::start(body(), |_| Act::Serve), Place::new());
    let get = Get {
        from: Some(format!("{}/mirror/", server.base)),
        ..impatient()
    };
    get.run(&set_at(&["http://127.0.0.1:9"]), place.temp.path(), &Quiet)
        .unwrap();
    place.assert_whole();
    let (other, place) = (Server::start(vec![1; SIZE], |_| Act::Serve), Place::new());
    let get = Get {
        from: Some(other.base.clone()),
        ..impatient()
    };
    let error = get
        .run(&set_at(&[]), place.temp.path(), &Quiet)
        .unwrap_err();
    assert!(matches!(error, FetchError::Checksum { .. }));
}

/// Asks to stop once this many bytes were received.
struct StopAfter(u64, AtomicU64);
impl Watch for StopAfter {
    fn stage(&self, _: &str, _: u64) {}
    fn tick(&self, n: u64) {
        self.1.fetch_add(n, Ordering::SeqCst);
    }
    fn cancelled(&self) -> bool {
        self.1.load(Ordering::SeqCst) >= self.0
    }
}

#[test]
fn stopped_half_way_it_goes_on_from_there() {
    let (server, place) = (Server::start(body(), |_| Act::Serve), Place::new());
    let set = set_at(&[&server.base]);
    let error = impatient()
        .run(
            &set,
            place.temp.path(),
            &StopAfter(120_000, AtomicU64::new(0)),
        )
        .unwrap_err();
    assert_eq!(error.group(), Group::Cancelled);
    let kept = fs::metadata(place.partial()).unwrap().len();
    assert!((120_000..SIZE as u64).contains(&kept), "{kept}");
    place.assert_partial(Some(kept as usize));
    place.run(&server).unwrap();
    place.assert_whole();
    assert_eq!(server.asked(), [None, Some(kept)]);
}

#[test]
fn two_processes_do_not_write_into_one_partial_file() {
    let (server, place) = (Server::start(body(), |_| Act::Serve), Place::new());
    let other = DiskFiles.append(&place.partial()).unwrap();
    assert!(other.lock());
    let error = place.run(&server).unwrap_err();
    assert!(matches!(error, FetchError::Busy { .. }));
    drop(other);
    place.run(&server).unwrap();
    place.assert_whole();
}

#[test]
fn what_stood_under_the_final_name_stays_until_the_new_file_is_whole() {
    let place = Place::new();
    fs::write(place.path(), b"old").unwrap();
    let bad = Server::start(body(), |_| Act::Corrupt);
    place.run(&bad).unwrap_err();
    assert_eq!(fs::read(place.path()).unwrap(), b"old");
    let good = Server::start(body(), |_| Act::Serve);
    assert!(place.run(&good).unwrap()[0].fetched);
    place.assert_whole();
}

fn any_act() -> impl Strategy<Value = Act> {
    let n = 0..=SIZE;
    prop_oneof![
        2 => Just(Act::Serve),
        6 => n.clone().prop_map(Act::Cut),
        1 => Just(Act::Corrupt),
        1 => prop_oneof![Just(404), Just(500), Just(206), Just(301), Just(204)].prop_map(Act::Status),
        1 => Just(Act::IgnoreRange),
        2 => n.clone().prop_map(Act::IgnoreRangeCut),
        1 => prop_oneof![Just(5i64), Just(-5)].prop_map(Act::Announce),
        1 => Just(Act::Longer),
        1 => n.prop_map(Act::Unsized),
        1 => Just(Act::WrongRange),
        1 => Just(Act::HangUp),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn whatever_servers_do_the_final_name_is_whole_or_absent(acts in prop::collection::vec(any_act(), 1..12)) {
        let place = Place::new();
        let last = *acts.last().unwrap();
        let server = Server::start(body(), move |n| acts.get(n).copied().unwrap_or(last));
        match place.run(&server) {
            Ok(_) => place.assert_whole(),
            Err(_) => prop_assert!(!place.path().exists()),
        }
        // Whatever was left behind, a good server then makes it whole.
        let good = Server::start(body(), |_| Act::Serve);
        place.run(&good).unwrap();
        place.assert_whole();
    }
}

#[test]
fn repacked_and_unpacked_files_count_by_their_contents() {
    use flate2::{Compression, write::GzEncoder};
    let temp = tempfile::tempdir().unwrap();
    let pack = |name: &str, level, bytes: &[u8]| {
        let path = temp.path().join(name);
        let mut packed = GzEncoder::new(fs::File::create(&path).unwrap(), Compression::new(level));
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap();
        path
    };
    let plain = temp.path().join("x");
    fs::write(&plain, body()).unwrap();
    let original = pack("x.gz", 9, &body());
    let repacked = pack("again.gz", 1, &body());
    let sum = |path: &Path| super::get::sha256_of(path, &Quiet).unwrap();
    let mut file = RemoteFile {
        name: "x.gz",
        addresses: &[],
        size: fs::metadata(&original).unwrap().len(),
        sha256: leak(sum(&original)),
        unpacked_sha256: Some(leak(sum(&plain))),
        known: Known::Computed,
    };
    let check = |file: &RemoteFile, path: &Path| verify(path, file, &Quiet).unwrap();
    assert_eq!(check(&file, &original), Verdict::Same);
    assert_eq!(check(&file, &repacked), Verdict::SameContents);
    assert_eq!(check(&file, &plain), Verdict::SameContents);
    let other = pack("other.gz", 9, b"other");
    assert_eq!(
        check(&file, &other),
        Verdict::Differs { found: sum(&other) }
    );
    let cut = temp.path().join("cut.gz");
    fs::write(&cut, &fs::read(&original).unwrap()[..1000]).unwrap();
    assert!(!check(&file, &cut).is_good());
    file.unpacked_sha256 = None;
    assert_eq!(check(&file, &plain), Verdict::Unknown);
    assert!(!check(&file, &repacked).is_good());
}

#[test]
fn the_register_agrees_with_the_files_on_this_machine() {
    let mut n_seen = 0;
    for set in all() {
        for file in set.files {
            let Some(path) = test_data(&format!("{}/{}", set.folder, file.name)) else {
                continue;
            };
            let verdict = verify(&path, file, &Quiet).unwrap();
            assert!(verdict.is_good(), "{}: {verdict:?}", path.display());
            n_seen += 1;
        }
    }
    if n_seen == 0 {
        eprintln!("skipped: no registered file is on this machine");
    }
}
