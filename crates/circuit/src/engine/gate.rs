//! Where threads wait for each other at every step.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// Looks before a waiting thread goes to sleep: some tens of microseconds, longer than a step of a small circuit.
const LOOKS: usize = 4000;

/// A barrier that is passed in well under a microsecond while all threads are at work, and that sleeps where they are not.
#[derive(Debug)]
pub(super) struct Gate {
    n: usize,
    arrived: AtomicUsize,
    round: AtomicUsize,
    broken: AtomicBool,
    sleepers: Mutex<()>,
    bell: Condvar,
    asleep: AtomicUsize,
}

impl Gate {
    pub(super) fn new(n: usize) -> Self {
        Self {
            n,
            arrived: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            sleepers: Mutex::new(()),
            bell: Condvar::new(),
            asleep: AtomicUsize::new(0),
        }
    }

    /// Waits until all have come; `false` if one will never come.
    pub(super) fn pass(&self) -> bool {
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.n {
            self.arrived.store(0, Ordering::Relaxed);
            self.round.store(round.wrapping_add(1), Ordering::SeqCst);
            if self.asleep.load(Ordering::SeqCst) > 0 {
                self.ring();
            }
        } else {
            let opened = || self.round.load(Ordering::SeqCst) != round;
            for _ in 0..LOOKS {
                if opened() {
                    return !self.broken.load(Ordering::Acquire);
                }
                if self.broken.load(Ordering::Acquire) {
                    return false;
                }
                std::hint::spin_loop();
            }
            let mut lock = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
            self.asleep.fetch_add(1, Ordering::SeqCst);
            while !opened() && !self.broken.load(Ordering::SeqCst) {
                lock = self.bell.wait(lock).unwrap_or_else(PoisonError::into_inner);
            }
            self.asleep.fetch_sub(1, Ordering::SeqCst);
        }
        !self.broken.load(Ordering::Acquire)
    }

    fn ring(&self) {
        // With the lock, so that no one falls asleep between looking and being rung for.
        let _lock = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        self.bell.notify_all();
    }
}

/// Held by each thread while it works: dropped early, by a panic, it frees the others.
pub(super) struct Working<'a> {
    pub(super) gate: &'a Gate,
    pub(super) finished: bool,
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.gate.broken.store(true, Ordering::SeqCst);
            self.gate.ring();
        }
    }
}
