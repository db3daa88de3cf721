//! What is seen while a run works: a bar on a terminal, a plain line every ten seconds elsewhere; and Ctrl-C.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chiasm_core::{Diagnose, Failure, Group, Watch};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::stderr_is_terminal;
use super::text;

/// Time between plain lines.
const EVERY: Duration = Duration::from_secs(10);

/// Set by the first Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

/// The watch of a run on the command line.
pub(super) struct Progress {
    shared: Arc<Shared>,
    printer: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

struct Shared {
    bar: ProgressBar,
    done: AtomicU64,
    stage: Mutex<Stage>,
}

struct Stage {
    name: String,
    total: u64,
    began: Instant,
    best: Option<(String, f64)>,
}

impl Progress {
    /// Begins to show progress (unless `quiet`), and takes over Ctrl-C.
    pub(super) fn start(quiet: bool) -> Result<Self, Failure> {
        take_over_interrupts()?;
        let on_terminal = stderr_is_terminal() && !quiet;
        let bar = if on_terminal {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8))
        } else {
            ProgressBar::hidden()
        };
        let shared = Arc::new(Shared {
            bar,
            done: AtomicU64::new(0),
            stage: Mutex::new(Stage {
                name: "start".into(),
                total: 0,
                began: Instant::now(),
                best: None,
            }),
        });
        let printer = (!on_terminal && !quiet).then(|| {
            let (stop, stopped) = channel();
            let seen = shared.clone();
            let thread = std::thread::spawn(move || {
                while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                    let line = seen.line();
                    // A log that is gone is no reason to stop a run.
                    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
                }
            });
            (stop, thread)
        });
        if on_terminal {
            shared.bar.enable_steady_tick(Duration::from_millis(200));
        }
        Ok(Self {
            shared,
            printer: Mutex::new(printer),
        })
    }

    /// Stops showing.
    pub(super) fn end(&self) {
        self.shared.bar.finish_and_clear();
        let printer = self
            .printer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((stop, thread)) = printer {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn stage(&self) -> std::sync::MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `fit: 42 % (420 of 1000), 31.0/s, 19 s left, error 0.0123`
    fn line(&self) -> String {
        let stage = self.stage();
        let (done, spent) = (
            self.done.load(Ordering::Relaxed),
            stage.began.elapsed().as_secs_f64(),
        );
        let mut line = stage.name.clone();
        let rate = done as f64 / spent.max(1e-9);
        if stage.total > 0 {
            let percent = 100.0 * done as f64 / stage.total as f64;
            line += &format!(": {percent:.0} % ({done} of {})", stage.total);
            if done > 0 && done < stage.total {
                let left = (stage.total - done) as f64 / rate;
                line += &format!(", {}/s, {} left", text::number(rate), text::duration(left));
            }
        } else if done > 0 {
            line += &format!(": {done}, {}/s", text::number(rate));
        } else {
            line += &format!(": {}", text::duration(spent));
        }
        if let Some((name, value)) = &stage.best {
            line += &format!(", {name} {}", text::number(*value));
        }
        line + "\n"
    }
}

impl Watch for Progress {
    fn stage(&self, name: &str, total: u64) {
        let mut stage = self.shared.stage();
        *stage = Stage {
            name: name.into(),
            total,
            began: Instant::now(),
            best: None,
        };
        self.shared.done.store(0, Ordering::Relaxed);
        let bar = &self.shared.bar;
        bar.reset();
        if total > 0 {
            bar.set_length(total);
            bar.set_style(style(
                "{prefix} {bar:24} {percent} % {per_sec} {eta} left {msg}",
            ));
        } else {
            bar.unset_length();
            bar.set_style(style("{spinner} {prefix} {elapsed} {msg}"));
        }
        bar.set_prefix(name.to_owned());
        bar.set_message("");
    }

    fn tick(&self, n: u64) {
        self.shared.done.fetch_add(n, Ordering::Relaxed);
        self.shared.bar.inc(n);
    }

    fn best(&self, name: &str, value: f64) {
        self.shared.stage().best = Some((name.into(), value));
        self.shared
            .bar
            .set_message(format!("{name} {}", text::number(value)));
    }

    fn cancelled(&self) -> bool {
        STOP.load(Ordering::Relaxed)
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The system refused to hand over Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for Ctrl-C: {0}")]
struct NoInterrupts(String);

impl Diagnose for NoInterrupts {
    fn group(&self) -> Group {
        Group::Io
    }
}

/// The first Ctrl-C asks the run to stop, the second ends the process.
fn take_over_interrupts() -> Result<(), NoInterrupts> {
    static TAKEN: OnceLock<Result<(), String>> = OnceLock::new();
    STOP.store(false, Ordering::Relaxed);
    let taken = TAKEN.get_or_init(|| {
        ctrlc::set_handler(|| {
            let text: &[u8] = if STOP.swap(true, Ordering::Relaxed) {
                b"stopped at once; the run can be resumed from its last checkpoint\n"
            } else {
                b"stopping at the next safe point; press Ctrl-C again to stop at once\n"
            };
            let second = text.starts_with(b"stopped");
            let _ = std::io::Write::write_all(&mut std::io::stderr(), text);
            if second {
                std::process::exit(super::Exit::Stopped.code());
            }
        })
        .map_err(|e| e.to_string())
    });
    taken.clone().map_err(NoInterrupts)
}
