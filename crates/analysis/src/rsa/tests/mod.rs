//! Reference values, closed forms and properties; the plain versions that the fast ones must equal are in [`plain`].

mod bootstrapping;
mod from_activity;
mod identification;
mod pictures;
mod plain;
mod real;
mod transforms;

use std::path::{Path, PathBuf};

use chiasm_data::{RdmLabel, RdmRules, Rdms};
use ndarray::Array2;
use rand::RngExt;

/// RDMs of random distances with a planted trace of the region in each; some distances are tied.
fn planted(subjects: usize, regions: usize, n: usize, seed: u64) -> Rdms {
    let streams = chiasm_core::Streams::new(seed);
    let pairs = chiasm_data::rdm::n_pairs(n);
    let mut values = Array2::zeros((subjects * regions, pairs));
    let mut labels = Vec::new();
    for s in 0..subjects {
        for r in 0..regions {
            let i = s * regions + r;
            let mut own = streams.indexed("rdm", i);
            let mut shared = streams.indexed("region", r);
            for pair in 0..pairs {
                let d: f64 = shared.random::<f64>() + 2.0 * own.random::<f64>();
                values[[i, pair]] = (d * 20.0).round() / 20.0 * (1.0 + s as f64);
            }
            labels.push(RdmLabel::new(format!("s{s}"), format!("r{r}")));
        }
    }
    Rdms::from_condensed(values, labels, RdmRules::default()).unwrap()
}

/// A file of the folder of real RDMs; says so where it is not at hand.
fn real_file(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let named = std::env::var_os("CHIASM_DATA").map(PathBuf::from);
    let found = named
        .into_iter()
        .chain([root])
        .map(|f| f.join("rsa").join(name))
        .find(|p| p.is_file());
    if found.is_none() {
        println!("skipped: {name} is neither in CHIASM_DATA nor in ../shared/data");
    }
    found
}
