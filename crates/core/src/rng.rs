//! Named random streams: one root seed, and for every purpose a stream of its own.
//!
//! A stream's bits depend on the root seed and its full name alone, never on what was drawn before or on how many
//! threads run. So a new draw in one place shifts no other, and work that is split over threads asks for one stream
//! per item (`streams.indexed("restart", i)`).

use rand::SeedableRng;
use sha2::{Digest, Sha256};

/// The generator behind every stream: ChaCha with 8 rounds, the same bits on every machine.
pub type Rng = rand_chacha::ChaCha8Rng;

/// A family of random streams under one root seed.
///
/// ```
/// use chiasm_core::Streams;
/// use rand::Rng as _;
/// let root = Streams::new(1);
/// let (mut a, mut b) = (root.stream("weights"), root.stream("weights"));
/// assert_eq!(a.next_u64(), b.next_u64());
/// assert_ne!(root.stream("weights").next_u64(), root.stream("noise").next_u64());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streams {
    seed: u64,
    path: String,
}

impl Streams {
    /// The family of the root seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            path: String::new(),
        }
    }

    /// The root seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A family of its own below this one: `a.child("x").stream("y")` differs from `a.stream("y")`.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        // The length before each name keeps ("a/b", "c") and ("a", "b/c") apart.
        Self {
            seed: self.seed,
            path: format!("{}/{}:{name}", self.path, name.len()),
        }
    }

    /// The stream of this name.
    #[must_use]
    pub fn stream(&self, name: &str) -> Rng {
        let mut hash = Sha256::new();
        hash.update(b"chiasm stream 1");
        hash.update(self.seed.to_le_bytes());
        hash.update(self.child(name).path.as_bytes());
        Rng::from_seed(hash.finalize().into())
    }

    /// The stream of item `index` under this name: one per restart, trial or chain.
    #[must_use]
    pub fn indexed(&self, name: &str, index: usize) -> Rng {
        self.child(name).stream(&index.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    #[test]
    fn bits_are_a_contract() {
        // These bits must never change: saved runs depend on them.
        let first = Streams::new(0).stream("contract").next_u64();
        assert_eq!(first, Streams::new(0).stream("contract").next_u64());
        assert_eq!(first, CONTRACT);
    }

    const CONTRACT: u64 = 4_485_399_163_514_983_680;

    #[test]
    fn names_do_not_run_together() {
        let root = Streams::new(3);
        let a = root.child("a").stream("b").next_u64();
        assert_ne!(a, root.stream("a/b").next_u64());
        assert_ne!(a, root.child("a").child("b").stream("").next_u64());
        assert_ne!(
            root.indexed("x", 1).next_u64(),
            root.indexed("x", 2).next_u64()
        );
    }
}
