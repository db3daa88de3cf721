//! Disks that fail: every operation of a run in turn, and all after it.

use super::*;

/// A disk on which the Nth operation fails, and with `full` all writing after it.
struct Failing {
    left: AtomicUsize,
    full: bool,
    short: AtomicBool,
}

impl Failing {
    fn new(n: usize, full: bool) -> Arc<Self> {
        Arc::new(Self {
            left: AtomicUsize::new(n),
            full,
            short: AtomicBool::new(false),
        })
    }

    fn step(&self) -> io::Result<()> {
        let before = self.left.load(Ordering::SeqCst);
        if before > 1 {
            self.left.store(before - 1, Ordering::SeqCst);
            return Ok(());
        }
        if before == 1 || self.full {
            self.left.store(0, Ordering::SeqCst);
            self.short.store(true, Ordering::SeqCst);
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(())
    }
}

struct FailingFile {
    inner: Box<dyn SyncWrite>,
    disk: &'static Failing,
}

impl Write for FailingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(e) = self.disk.step() {
            // A full disk takes part of the bytes.
            let _ = self.inner.write(&bytes[..bytes.len() / 2]);
            return Err(e);
        }
        self.inner.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl SyncWrite for FailingFile {
    fn sync(&mut self) -> io::Result<()> {
        self.disk.step()?;
        self.inner.sync()
    }
}

impl Files for &'static Failing {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        DiskFiles.create_dir_all(path)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn SyncWrite>> {
        self.step()?;
        let inner = DiskFiles.create(path)?;
        Ok(Box::new(FailingFile { inner, disk: self }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        DiskFiles.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        DiskFiles.remove_file(path)
    }
}

/// Fails every operation of a run in turn, resumes on a sound disk, and compares all bytes.
fn fail_each_operation(full: bool) {
    let entry = entry();
    let mut plan = plan(&entry, vec![1, 2]);
    // Drawing takes most of the time, and its files go the way of all others.
    plan.config["figure"] = false.into();
    let sound = TempDir::new().expect("temp");
    let place = Place::At(sound.path().join("run"));
    let run = Run::create(&plan, &place, Arc::new(DiskFiles)).expect("creates");
    run.execute(&entry, &quiet(), false).expect("runs");
    let expected = results(&sound.path().join("run"));
    let mut n = 0;
    loop {
        n += 1;
        let dir = TempDir::new().expect("temp");
        let folder = dir.path().join("run");
        let disk: &'static Failing = Box::leak(Box::new(
            Arc::into_inner(Failing::new(n, full)).expect("sole"),
        ));
        let outcome = Run::create(&plan, &Place::At(folder.clone()), Arc::new(disk))
            .and_then(|run| run.execute(&entry, &quiet(), false));
        if !disk.short.load(Ordering::SeqCst) {
            outcome.expect("no failure, no error");
            break;
        }
        let failure = outcome.expect_err("the failure is reported");
        assert_eq!(failure.group(), Group::Io, "operation {n}: {failure}");
        assert!(
            failure.to_string().contains(&folder.display().to_string()),
            "{failure}"
        );
        // Whatever stands under its final name is whole.
        for (name, bytes) in results(&folder) {
            let whole = expected.iter().find(|(e, _)| *e == name);
            match whole {
                _ if name == "run.json" || name.starts_with("checkpoint") || name == "lock" => {}
                Some((_, expected)) => {
                    assert!(bytes == *expected, "operation {n}: {name} is damaged")
                }
                None => assert!(name.ends_with(".partial"), "operation {n}: stray {name}"),
            }
        }
        let again = if folder.join("run.json").exists() {
            read(&folder).expect("a whole record");
            Run::resume(&folder, &Build::default(), Arc::new(DiskFiles))
        } else {
            Run::create(&plan, &Place::At(folder.clone()), Arc::new(DiskFiles))
        };
        again
            .expect("takes up")
            .execute(&entry, &quiet(), false)
            .expect("ends");
        assert!(
            results(&folder) == expected,
            "operation {n}: results differ after it"
        );
    }
    assert!(n > 60, "only {n} operations were tried");
}

#[test]
fn any_single_failed_operation_is_reported_and_harms_nothing() {
    fail_each_operation(false);
}

#[test]
fn a_disk_that_fills_up_is_reported_and_harms_nothing() {
    fail_each_operation(true);
}
