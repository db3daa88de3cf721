//! Every target for a few seconds without libFuzzer: first each seed, then seeds with random damage, always the same.
//!
//!     short-run SECONDS_PER_TARGET [TARGET...]

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chiasm_fuzz::{TARGETS, Target};

/// No input may take longer.
const LIMIT_S: u64 = 20;
/// Nor may the process hold more, bytes.
const LIMIT_BYTES: u64 = 2 << 30;

/// Seconds from the start at which the present input was begun.
static BEGUN_S: AtomicU64 = AtomicU64::new(0);

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(seconds) = args.next().and_then(|s| s.parse().ok()) else {
        eprintln!("usage: short-run SECONDS_PER_TARGET [TARGET...]");
        return ExitCode::from(2);
    };
    let chosen: Vec<String> = args.collect();
    chiasm_fuzz::hush();
    let start = Instant::now();
    std::thread::spawn(move || watch(start));
    for target in TARGETS {
        if (chosen.is_empty() || chosen.iter().any(|name| name == target.0))
            && let Err(reason) = run(target, Duration::from_secs_f64(seconds), start)
        {
            eprintln!("{}: {reason}", target.0);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Runs one target on its seeds and then on damaged ones until `span` is over. The present input stands in a file, so
/// that it is there to look at whatever becomes of this process.
fn run((name, target): Target, span: Duration, start: Instant) -> Result<(), String> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = seeds(&home.join("seeds").join(name))?;
    let kept = home.join("artifacts").join(format!("short-run-{name}"));
    std::fs::create_dir_all(home.join("artifacts")).map_err(|e| e.to_string())?;
    let begun = Instant::now();
    let mut random = Random(0x5eed);
    let mut n_inputs = 0;
    while n_inputs < seeds.len() || begun.elapsed() < span {
        let input = match seeds.get(n_inputs) {
            Some(seed) => seed.clone(),
            None => damaged(&seeds, &mut random),
        };
        std::fs::write(&kept, &input).map_err(|e| format!("{}: {e}", kept.display()))?;
        BEGUN_S.store(start.elapsed().as_secs(), Ordering::Relaxed);
        if let Err(panic) = catch_unwind(|| target(&input)) {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or(panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            let words = words.unwrap_or_default();
            return Err(format!("panic on {}: {words}", kept.display()));
        }
        n_inputs += 1;
    }
    std::fs::remove_file(&kept).map_err(|e| e.to_string())?;
    println!("{name}: {} seeds, {n_inputs} inputs", seeds.len());
    Ok(())
}

/// The files of a folder in the order of their names.
fn seeds(folder: &Path) -> Result<Vec<Vec<u8>>, String> {
    let named = |e: std::io::Error| format!("{}: {e}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(named)?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    let seeds: Result<Vec<_>, _> = paths.iter().map(std::fs::read).collect();
    match seeds.map_err(named)? {
        none if none.is_empty() => Err(format!("no seeds in {}", folder.display())),
        seeds => Ok(seeds),
    }
}

/// A seed with one to eight wounds: bytes changed, numbers made extreme, pieces cut out, doubled or taken from another.
fn damaged(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    const NUMBERS: [u64; 8] = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX];
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(8) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(64)).min(bytes.len());
        match random.below(8) {
            0..=2 => bytes[at] ^= 1 << random.below(8),
            3 => bytes[at] = random.below(256) as u8,
            4 | 5 => {
                let number = NUMBERS[random.below(NUMBERS.len())].to_le_bytes();
                let n = (1 << random.below(4)).min(bytes.len() - at);
                bytes[at..at + n].copy_from_slice(&number[..n]);
            }
            6 if random.below(4) == 0 => bytes.truncate(at),
            6 => drop(bytes.drain(at..end)),
            _ => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len().max(1));
                let piece = &other[from..(from + end - at).min(other.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
    bytes
}

/// Ends the process where an input takes too long or too much; its file stays.
fn watch(start: Instant) {
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let seconds = start.elapsed().as_secs();
        if seconds.saturating_sub(BEGUN_S.load(Ordering::Relaxed)) > LIMIT_S {
            eprintln!("an input takes more than {LIMIT_S} s; see artifacts/");
            std::process::exit(1);
        }
        // Linux only; elsewhere memory is not watched.
        let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages = status.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok());
        if pages.unwrap_or(0) * 4096 > LIMIT_BYTES {
            eprintln!("an input takes more than 2 GB; see artifacts/");
            std::process::exit(1);
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    /// A number from 0 to `n` - 1; 0 for `n` = 0.
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}
