//! A disk that fills up while a data set is fetched.

use super::*;

/// Lets `left` operations pass, then fails every one, as a full disk does.
struct FullDisk {
    left: std::sync::Arc<AtomicU64>,
}
impl FullDisk {
    fn new(n: u64) -> Self {
        Self {
            left: std::sync::Arc::new(AtomicU64::new(n)),
        }
    }
    fn pass(left: &AtomicU64) -> io::Result<()> {
        let passed = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        passed
            .map(|_| ())
            .map_err(|_| io::ErrorKind::StorageFull.into())
    }
}
impl Files for FullDisk {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        Self::pass(&self.left)?;
        DiskFiles.create_dir_all(path)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn SyncWrite>> {
        DiskFiles.create(path)
    }
    fn append(&self, path: &Path) -> io::Result<Box<dyn SyncWrite>> {
        Self::pass(&self.left)?;
        let file = DiskFiles.append(path)?;
        Ok(Box::new(Full {
            file,
            left: self.left.clone(),
        }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Self::pass(&self.left)?;
        DiskFiles.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        Self::pass(&self.left)?;
        DiskFiles.remove_file(path)
    }
}
struct Full {
    file: Box<dyn SyncWrite>,
    left: std::sync::Arc<AtomicU64>,
}
impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        FullDisk::pass(&self.left)?;
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
impl SyncWrite for Full {
    fn sync(&mut self) -> io::Result<()> {
        FullDisk::pass(&self.left)?;
        self.file.sync()
    }
}

#[test]
fn a_disk_that_fills_up_at_any_moment_is_told_and_nothing_is_lost() {
    let server = Server::start(body(), |n| {
        if n % 2 == 0 {
            Act::Cut(100_000)
        } else {
            Act::Serve
        }
    });
    let set = set_at(&[&server.base]);
    let mut n_failed = 0;
    for n in 0.. {
        let place = Place::new();
        let full = FullDisk::new(n);
        match impatient().run_on(&full, &set, place.temp.path(), &Quiet) {
            Ok(_) => {
                place.assert_whole();
                break;
            }
            Err(error) => {
                n_failed += 1;
                assert!(
                    matches!(&error, FetchError::Data(crate::DataError::Io { .. })),
                    "{error}"
                );
                assert_eq!(error.group(), Group::Io);
                assert!(!place.path().exists());
                place.run(&server).unwrap();
                place.assert_whole();
            }
        }
    }
    assert!(n_failed > 8, "{n_failed}");
}
