//! A small HTTP server that misbehaves on request, for tests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the server does with one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Act {
    /// What a good server does, ranges included.
    Serve,
    /// Serves, and cuts the connection after this many bytes of the body.
    Cut(usize),
    /// Serves, and flips a bit of the first byte it sends.
    Corrupt,
    /// Answers with this status and no file.
    Status(u16),
    /// Sends the whole file whatever was asked for.
    IgnoreRange,
    /// As `IgnoreRange`, cut after this many bytes.
    IgnoreRangeCut(usize),
    /// Announces this many bytes more than there are, sends what there is and closes.
    Announce(i64),
    /// Names no length and sends one byte more than there is.
    Longer,
    /// Names no length and ends after this many bytes.
    Unsized(usize),
    /// Answers a range with the bytes before it.
    WrongRange,
    /// Sends this many bytes, then nothing for two seconds.
    Stall(usize),
    /// Closes the connection without a word.
    HangUp,
}

pub(super) struct Server {
    pub(super) base: String,
    /// The first byte asked for in each request, if a range was; in order.
    pub(super) asked: Arc<Mutex<Vec<Option<u64>>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `body` under every path; `act` says what to do with the request of this index.
    pub(super) fn start(body: Vec<u8>, act: impl Fn(usize) -> Act + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let body = Arc::new(body);
        let (asked, stop) = (
            Arc::new(Mutex::new(Vec::new())),
            Arc::new(AtomicBool::new(false)),
        );
        let thread = {
            let (asked, stop) = (Arc::clone(&asked), Arc::clone(&stop));
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(stream) = stream else { continue };
                    let Some(from) = read_request(&stream) else {
                        continue;
                    };
                    let n = {
                        let mut asked = asked.lock().unwrap();
                        asked.push(from);
                        asked.len() - 1
                    };
                    let (act, body) = (act(n), Arc::clone(&body));
                    // One that stalls must not keep the next request waiting. The client may hang up first.
                    std::thread::spawn(move || answer(stream, &body, from, act));
                }
            })
        };
        Self {
            base,
            asked,
            stop,
            thread: Some(thread),
        }
    }

    pub(super) fn asked(&self) -> Vec<Option<u64>> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.base.trim_start_matches("http://"));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The request's range start; the outer `None` if it is no request.
fn read_request(stream: &TcpStream) -> Option<Option<u64>> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut from = None;
    for line in BufReader::new(stream.take(1 << 14)).lines() {
        let line = line.ok()?.to_lowercase();
        if line.is_empty() {
            return Some(from);
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = range.strip_suffix('-')?.parse().ok();
        }
    }
    None
}

fn answer(mut stream: TcpStream, body: &[u8], from: Option<u64>, act: Act) -> std::io::Result<()> {
    let whole = body.len();
    let from = from.map(|n| n as usize);
    let from = match act {
        Act::IgnoreRange | Act::IgnoreRangeCut(_) | Act::Longer | Act::Unsized(_) => None,
        _ => from,
    };
    match act {
        Act::HangUp => return Ok(()),
        Act::Status(status) => {
            return write!(
                stream,
                "HTTP/1.1 {status} No\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n"
            );
        }
        _ => {}
    }
    if from.is_some_and(|n| n >= whole) {
        return write!(
            stream,
            "HTTP/1.1 416 Range\r\nContent-Range: bytes */{whole}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    let start = match act {
        Act::WrongRange => from.map_or(0, |n| n / 2),
        _ => from.unwrap_or(0),
    };
    let mut part = body[start..].to_vec();
    if from.is_some() {
        write!(
            stream,
            "HTTP/1.1 206 Partial\r\nContent-Range: bytes {start}-{}/{whole}\r\n",
            whole - 1
        )?;
    } else {
        write!(stream, "HTTP/1.1 200 OK\r\n")?;
    }
    let announced = match act {
        Act::Announce(more) => part.len() as i64 + more,
        _ => part.len() as i64,
    };
    if !matches!(act, Act::Longer | Act::Unsized(_)) {
        write!(stream, "Content-Length: {announced}\r\n")?;
    }
    write!(stream, "Connection: close\r\n\r\n")?;
    match act {
        Act::Corrupt => part[0] ^= 1,
        Act::Longer => part.push(7),
        Act::Cut(n) | Act::IgnoreRangeCut(n) | Act::Unsized(n) | Act::Stall(n) => part.truncate(n),
        _ => {}
    }
    stream.write_all(&part)?;
    stream.flush()?;
    if matches!(act, Act::Stall(_)) {
        std::thread::sleep(Duration::from_secs(2));
    }
    Ok(())
}
