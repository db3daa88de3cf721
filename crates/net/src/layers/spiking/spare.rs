//! Memory of potentials that is written over by the next pass, instead of asking the system for new pages each time: that
//! takes as long as half of a small layer's work.

use std::sync::Mutex;

use super::gather::{COLUMNS, Piece};

/// What is kept at most, over all layers: 256 MiB.
const MOST: usize = (256 << 20) / size_of::<Piece>();

static SPARE: Mutex<Vec<Vec<Piece>>> = Mutex::new(Vec::new());

/// Pieces that hold anything, to be written over.
pub(super) fn take(length: usize) -> Vec<Piece> {
    let fits = |v: &Vec<Piece>| (length..=2 * length).contains(&v.capacity());
    let found = SPARE.lock().ok().and_then(|mut spare| {
        let at = spare.iter().position(fits)?;
        Some(spare.swap_remove(at))
    });
    match found {
        Some(mut values) => {
            values.resize(length, [0.0; COLUMNS]);
            values
        }
        None => vec![[0.0; COLUMNS]; length],
    }
}

/// Takes back what is no longer needed; the oldest goes first.
pub(super) fn give(values: Vec<Piece>) {
    let size = values.capacity();
    if size == 0 || size > MOST {
        return;
    }
    if let Ok(mut spare) = SPARE.lock() {
        let mut held: usize = spare.iter().map(Vec::capacity).sum();
        while held + size > MOST && !spare.is_empty() {
            held -= spare.remove(0).capacity();
        }
        spare.push(values);
    }
}
