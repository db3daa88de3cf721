//! Fetching one file over HTTP: on from where it stopped, and under its final name only when it is whole.
//!
//! Bytes are added to a partial file, `.NAME.part`, beside the final one. Whatever ends the work (a cut connection, a
//! full disk, a kill), the next attempt asks for the rest by an HTTP range. The final name comes into being by a rename,
//! after the size and the SHA-256 of the whole partial file were found to be right.

use std::cell::Cell;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chiasm_core::Watch;
use ureq::Agent;
use ureq::http::{Response, header};

use super::FetchError;
use super::get::sha256_of;
use crate::DataError;
use crate::files::{Files, SyncWrite};

/// How long to wait for a slow or failing server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The longest wait for a connection or for the next bytes.
    pub per_read: Duration,
    /// Attempts in a row, at one address, that bring no byte beyond those that came before.
    pub barren: u32,
    /// The pause after the first of them; it doubles with each.
    pub first_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            per_read: Duration::from_secs(15),
            barren: 5,
            first_pause: Duration::from_millis(500),
        }
    }
}

impl Patience {
    /// An HTTP client with this patience. It follows redirects and the proxy settings of the environment, and asks for
    /// bytes as they are: an archive must not be unpacked on the way.
    pub(super) fn agent(&self) -> Agent {
        Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("chiasm/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .max_redirects(5)
            .timeout_connect(Some(self.per_read))
            .timeout_per_read(Some(self.per_read))
            .build()
            .new_agent()
    }
}

/// What is to be fetched.
pub(super) struct Wanted<'a> {
    /// The final name.
    pub(super) path: &'a Path,
    /// Its size, bytes.
    pub(super) size: u64,
    /// SHA-256 of the whole, in hexadecimal.
    pub(super) sha256: &'a str,
    /// Where it may be, in the order to try.
    pub(super) urls: &'a [String],
}

/// The partial file of `path`: always the same name, so that a later process can go on with it.
pub(super) fn partial_of(path: &Path) -> PathBuf {
    let name = path
        .file_name()
        .map_or_else(Default::default, |n| n.to_string_lossy().into_owned());
    path.with_file_name(format!(".{name}.part"))
}

/// Fetches a file; on return it is whole under its final name, or there is an error and the final name is as it was.
pub(super) fn fetch(
    files: &dyn Files,
    agent: &Agent,
    wanted: &Wanted<'_>,
    patience: &Patience,
    watch: &dyn Watch,
) -> Result<(), FetchError> {
    let job = Job {
        files,
        agent,
        wanted,
        patience,
        watch,
        partial: partial_of(wanted.path),
        said: Cell::new(None),
    };
    if let Some(parent) = wanted.path.parent() {
        let made = files.create_dir_all(parent);
        made.map_err(|e| job.io(wanted.path, "create the folder of", e))?;
    }
    let mut faults = Vec::new();
    for url in wanted.urls {
        match job.try_address(url) {
            Ok(()) => {
                let renamed = files.rename(&job.partial, wanted.path);
                let action = "rename the finished file to";
                return renamed.map_err(|e| job.io(wanted.path, action, e));
            }
            // No other address can mend these.
            Err(
                fault @ (FetchError::Data(_) | FetchError::Cancelled(_) | FetchError::Busy { .. }),
            ) => return Err(fault),
            Err(fault) => faults.push(fault),
        }
    }
    match faults.pop() {
        Some(only) if faults.is_empty() => Err(only),
        last => {
            faults.extend(last);
            let name = wanted.path.file_name().unwrap_or_default();
            Err(FetchError::Exhausted {
                file: name.to_string_lossy().into_owned(),
                faults,
            })
        }
    }
}

struct Job<'a> {
    files: &'a dyn Files,
    agent: &'a Agent,
    wanted: &'a Wanted<'a>,
    patience: &'a Patience,
    watch: &'a dyn Watch,
    partial: PathBuf,
    /// Where the watch last heard that we are.
    said: Cell<Option<u64>>,
}

/// How one request ended.
enum Ended {
    /// All bytes are in the partial file.
    Whole,
    /// It may go better next time.
    Early(FetchError),
    /// The server will not go on from where we are: begin anew.
    Restart,
}

impl Job<'_> {
    fn io(&self, path: &Path, action: &'static str, source: std::io::Error) -> FetchError {
        let path = path.to_path_buf();
        DataError::Io {
            path,
            action,
            source,
        }
        .into()
    }

    fn name(&self) -> String {
        let name = self.wanted.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Bytes in the partial file.
    fn have(&self) -> u64 {
        fs::metadata(&self.partial).map_or(0, |m| m.len())
    }

    /// The partial file, ours alone until dropped.
    fn open(&self) -> Result<Box<dyn SyncWrite>, FetchError> {
        let file = self.files.append(&self.partial);
        let file = file.map_err(|e| self.io(&self.partial, "open", e))?;
        if file.lock() {
            Ok(file)
        } else {
            let path = self.partial.clone();
            Err(FetchError::Busy { path })
        }
    }

    fn discard(&self) -> Result<(), FetchError> {
        let removed = self.files.remove_file(&self.partial);
        removed.map_err(|e| self.io(&self.partial, "remove", e))
    }

    /// Until the partial file is whole and right, or this address has failed.
    fn try_address(&self, url: &str) -> Result<(), FetchError> {
        // Bytes of different requests may be bytes of different files: such a file gets a second chance.
        let mut patched = self.have() > 0;
        let mut last_chance = false;
        loop {
            patched |= self.receive(url)? > 1;
            let stage = format!("check {}", self.name());
            self.watch.stage(&stage, self.wanted.size);
            let found = sha256_of(&self.partial, self.watch)?;
            if found == self.wanted.sha256 {
                return Ok(());
            }
            // Wrong bytes are worth nothing, and must not be what the next attempt goes on from.
            self.discard()?;
            if last_chance || !patched {
                return Err(FetchError::Checksum {
                    url: url.into(),
                    expected: self.wanted.sha256.into(),
                    found,
                });
            }
            last_chance = true;
        }
    }

    /// Asks for the rest until the partial file has its full size; returns the number of requests made.
    fn receive(&self, url: &str) -> Result<u32, FetchError> {
        let (mut requests, mut barren) = (0, 0);
        let mut furthest = self.have();
        loop {
            self.watch.check()?;
            let mut file = self.open()?;
            let have = self.have();
            if have > self.wanted.size {
                drop(file);
                self.discard()?;
                continue;
            }
            if have == self.wanted.size {
                let synced = file.sync();
                synced.map_err(|e| self.io(&self.partial, "write", e))?;
                return Ok(requests);
            }
            requests += 1;
            let fault = match self.request(url, have, file)? {
                Ended::Whole => continue,
                Ended::Early(fault) => fault,
                Ended::Restart => {
                    self.discard()?;
                    FetchError::Network {
                        url: url.into(),
                        received: 0,
                        reason: "the server does not go on from where it stopped".into(),
                    }
                }
            };
            if self.have() > furthest {
                furthest = self.have();
                barren = 0;
                continue;
            }
            barren += 1;
            if barren >= self.patience.barren {
                return Err(fault);
            }
            self.pause(self.patience.first_pause * 2u32.saturating_pow(barren - 1).min(32))?;
        }
    }

    /// Waits, but not longer than it takes to notice that the work should stop.
    fn pause(&self, whole: Duration) -> Result<(), FetchError> {
        let mut left = whole;
        while !left.is_zero() {
            self.watch.check()?;
            let step = left.min(Duration::from_millis(100));
            std::thread::sleep(step);
            left -= step;
        }
        Ok(())
    }

    /// One request for the bytes from `have` on; they go to the end of the partial file.
    fn request(
        &self,
        url: &str,
        have: u64,
        mut file: Box<dyn SyncWrite>,
    ) -> Result<Ended, FetchError> {
        let network = |reason: String| FetchError::Network {
            url: url.into(),
            received: self.have(),
            reason,
        };
        let mut request = self.agent.get(url);
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        let mut response = match request.call() {
            Ok(response) => response,
            Err(error) => {
                let fault = network(error.to_string());
                return match error {
                    // Trying again changes nothing about these.
                    ureq::Error::HostNotFound
                    | ureq::Error::BadUri(_)
                    | ureq::Error::Http(_)
                    | ureq::Error::Tls(_)
                    | ureq::Error::InvalidProxyUrl => Err(fault),
                    _ => Ok(Ended::Early(fault)),
                };
            }
        };
        let status = response.status().as_u16();
        let from = match status {
            200 => {
                self.check_size(url, content_length(&response))?;
                0
            }
            206 => {
                let (start, whole) = content_range(&response).unwrap_or((u64::MAX, None));
                self.check_size(url, whole)?;
                if start != have {
                    return Ok(Ended::Restart);
                }
                have
            }
            416 if have > 0 => return Ok(Ended::Restart),
            408 | 425 | 429 | 500.. => {
                let url = url.into();
                return Ok(Ended::Early(FetchError::Status { url, status }));
            }
            _ => {
                let url = url.into();
                return Err(FetchError::Status { url, status });
            }
        };
        if from < have {
            // The server sends the whole file, range or no range.
            drop(file);
            self.discard()?;
            file = self.open()?;
        }
        self.say_at(from);

        let mut body = response.body_mut().as_reader();
        let mut chunk = vec![0; 1 << 16];
        let mut at = from;
        let ended = loop {
            self.watch.check()?;
            let n = match body.read(&mut chunk) {
                Ok(0) if at == self.wanted.size => break Ended::Whole,
                Ok(0) => {
                    let reason = format!("it ended early, at byte {at} of {}", self.wanted.size);
                    break Ended::Early(network(reason));
                }
                Ok(n) => n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                // All of it is here; how the connection ends is of no matter.
                Err(_) if at == self.wanted.size => break Ended::Whole,
                Err(error) => break Ended::Early(network(error.to_string())),
            };
            at += n as u64;
            if at > self.wanted.size {
                // What came so far is the start of another file.
                self.discard()?;
                self.check_size(url, Some(at))?;
            }
            let written = file.write_all(&chunk[..n]);
            written.map_err(|e| self.io(&self.partial, "write", e))?;
            self.watch.tick(n as u64);
            self.said.set(Some(at));
        };
        let flushed = file.flush();
        flushed.map_err(|e| self.io(&self.partial, "write", e))?;
        Ok(ended)
    }

    /// Refuses a file that is not as long as it must be.
    fn check_size(&self, url: &str, found: Option<u64>) -> Result<(), FetchError> {
        match found {
            Some(found) if found != self.wanted.size => Err(FetchError::Size {
                url: url.into(),
                expected: self.wanted.size,
                found,
            }),
            _ => Ok(()),
        }
    }

    /// Tells the watch where we are, where that is not where it last heard.
    fn say_at(&self, at: u64) {
        if self.said.get() != Some(at) {
            let stage = format!("fetch {}", self.name());
            self.watch.stage(&stage, self.wanted.size);
            self.watch.tick(at);
            self.said.set(Some(at));
        }
    }
}

fn content_length<B>(response: &Response<B>) -> Option<u64> {
    let value = response.headers().get(header::CONTENT_LENGTH)?;
    value.to_str().ok()?.trim().parse().ok()
}

/// First byte and total length of `Content-Range: bytes 100-199/1000` (or `/*`).
fn content_range<B>(response: &Response<B>) -> Option<(u64, Option<u64>)> {
    let value = response
        .headers()
        .get(header::CONTENT_RANGE)?
        .to_str()
        .ok()?;
    let (range, whole) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, whole.trim().parse().ok()))
}
