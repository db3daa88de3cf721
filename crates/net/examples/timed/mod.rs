//! The clock of the examples that do our side of `bench/peers`.

use std::error::Error;
use std::time::Instant;

/// Does the work once to warm up, then as often as `PEER_REPEATS` says on the clock: the seconds of each, and what the last
/// one gave.
pub(crate) fn timed<V>(
    mut work: impl FnMut() -> Result<V, Box<dyn Error>>,
) -> Result<(Vec<f64>, V), Box<dyn Error>> {
    let repeats: usize = std::env::var("PEER_REPEATS").map_or(Ok(1), |v| v.parse())?;
    let mut found = work()?;
    let mut seconds = Vec::new();
    for _ in 0..repeats {
        let clock = Instant::now();
        found = work()?;
        seconds.push(clock.elapsed().as_secs_f64());
    }
    Ok((seconds, found))
}
