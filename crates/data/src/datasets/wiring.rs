//! Wiring diagrams: which cell synapses on which, and how often.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::{DataError, Place};

/// How two cells are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Junction {
    /// A chemical synapse, from `pre` to `post`.
    Chemical,
    /// A gap junction; listed in both directions.
    Electrical,
}

/// All synapses of one kind from one cell to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Index of the sending cell in [`Wiring::cells`].
    pub pre: usize,
    /// Index of the receiving cell.
    pub post: usize,
    /// How they are joined.
    pub junction: Junction,
    /// Number of synapses; at least 1.
    pub synapses: u32,
}

/// Who synapses on whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wiring {
    cells: Vec<String>,
    connections: Vec<Connection>,
}

#[derive(Deserialize)]
struct Row {
    pre: String,
    post: String,
    typ: i64,
    syn: Vec<u32>,
}

impl Wiring {
    /// Reads the JSON of the data set `worms`: a list of `{"pre": NAME, "post": NAME, "typ": 0 or 2, "syn": [n, ...]}`,
    /// where 0 is chemical, 2 is electrical, and `syn` holds a count for each place at which the two meet.
    ///
    /// # Errors
    /// [`DataError::Io`]; [`DataError::Malformed`] if it is no such list; [`DataError::Invalid`] for another type, an empty
    /// name, no synapse, or a pair listed twice with one type.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let bytes = std::fs::read(path).map_err(|source| DataError::Io {
            path: path.to_path_buf(),
            action: "read",
            source,
        })?;
        Self::from_json(&bytes, path)
    }

    /// [`Self::read`] from bytes; `path` is for errors.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_json(bytes: &[u8], path: &Path) -> Result<Self, DataError> {
        let rows: Vec<Row> = serde_json::from_slice(bytes).map_err(|e| DataError::Malformed {
            path: path.to_path_buf(),
            format: "a wiring diagram in JSON",
            reason: e.to_string(),
        })?;
        let at = |row: usize, field: &str| Place::dataset(field).in_file(path).index(row);
        let mut pairs = BTreeMap::new();
        for (i, row) in rows.iter().enumerate() {
            let junction = match row.typ {
                0 => Junction::Chemical,
                2 => Junction::Electrical,
                other => {
                    let expected = "0 (chemical) or 2 (electrical)";
                    return Err(DataError::invalid(at(i, "typ"), expected, other));
                }
            };
            for (field, name) in [("pre", &row.pre), ("post", &row.post)] {
                if name.trim().is_empty() {
                    return Err(DataError::invalid(at(i, field), "a name", "none"));
                }
            }
            let synapses = row.syn.iter().try_fold(0u32, |sum, &n| sum.checked_add(n));
            let synapses = synapses.filter(|&n| n > 0).ok_or_else(|| {
                let found = format!("{:?}", &row.syn[..row.syn.len().min(8)]);
                DataError::invalid(at(i, "syn"), format!("1 to {} synapses", u32::MAX), found)
            })?;
            let pair = (row.pre.as_str(), row.post.as_str(), junction);
            if pairs.insert(pair, synapses).is_some() {
                let found = format!("{} to {} ({junction:?}) a second time", row.pre, row.post);
                return Err(DataError::invalid(at(i, "pre"), "each pair once", found));
            }
        }
        if pairs.is_empty() {
            let place = Place::default().in_file(path);
            return Err(DataError::invalid(place, "at least one connection", "none"));
        }
        let names: BTreeSet<&str> = pairs.keys().flat_map(|k| [k.0, k.1]).collect();
        let index: BTreeMap<&str, usize> = names.iter().enumerate().map(|(i, &n)| (n, i)).collect();
        let connections = pairs
            .iter()
            .map(|(&(pre, post, junction), &synapses)| Connection {
                pre: index[pre],
                post: index[post],
                junction,
                synapses,
            })
            .collect();
        Ok(Self {
            cells: names.into_iter().map(Into::into).collect(),
            connections,
        })
    }

    /// Names of the cells, sorted: neurons, and in the worm also the muscles and glia they meet.
    #[must_use]
    pub fn cells(&self) -> &[String] {
        &self.cells
    }

    /// All connections, by the names of `pre`, then `post`.
    #[must_use]
    pub fn connections(&self) -> &[Connection] {
        &self.connections
    }

    /// The index of the cell of this name.
    #[must_use]
    pub fn index(&self, cell: &str) -> Option<usize> {
        self.cells.binary_search_by(|c| c.as_str().cmp(cell)).ok()
    }

    /// Numbers of synapses of one kind among the cells of these names, `[pre, post]` in their order. A name that the
    /// diagram does not hold has no synapse: compare with [`Self::index`] to tell.
    #[must_use]
    pub fn counts(&self, junction: Junction, names: &[&str]) -> Array2<f64> {
        let mut counts = Array2::zeros((names.len(), names.len()));
        // A name may stand for several rows, as when an animal's neuron was recorded twice.
        let mut rows = vec![Vec::new(); self.cells.len()];
        for (row, name) in names.iter().enumerate() {
            if let Some(cell) = self.index(name) {
                rows[cell].push(row);
            }
        }
        for c in self.connections.iter().filter(|c| c.junction == junction) {
            for &pre in &rows[c.pre] {
                for &post in &rows[c.post] {
                    counts[[pre, post]] = f64::from(c.synapses);
                }
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::test_data;

    const SMALL: &str = r#"[
        {"pre": "B", "post": "A", "typ": 0, "syn": [1, 1, 2]},
        {"pre": "A", "post": "B", "typ": 2, "syn": [1]},
        {"pre": "B", "post": "A", "typ": 2, "syn": [1]}]"#;

    fn parse(json: &str) -> Result<Wiring, DataError> {
        Wiring::from_json(json.as_bytes(), Path::new("w.json"))
    }

    #[test]
    fn counts_follow_the_order_of_the_names() {
        let wiring = parse(SMALL).unwrap();
        assert_eq!(wiring.cells(), ["A", "B"]);
        let chemical = wiring.counts(Junction::Chemical, &["B", "unknown", "A"]);
        assert_eq!(chemical[[0, 2]], 4.0);
        assert_eq!(chemical.sum(), 4.0);
        let electrical = wiring.counts(Junction::Electrical, &["A", "B"]);
        assert_eq!(electrical, electrical.t());
    }

    #[test]
    fn faults_are_named_by_row() {
        let refused = |json: &str| parse(json).unwrap_err().to_string();
        assert!(refused("[]").contains("at least one connection"));
        assert!(refused("{}").contains("wiring diagram in JSON"));
        assert!(refused(&SMALL.replace(r#""typ": 0"#, r#""typ": 1"#)).contains("`typ`, index 0"));
        assert!(refused(&SMALL.replace("[1, 1, 2]", "[]")).contains("`syn`, index 0"));
        assert!(refused(&SMALL.replace("[1, 1, 2]", "[4294967295, 1]")).contains("`syn`"));
        assert!(refused(&SMALL.replace("[1, 1, 2]", "[-1]")).contains("JSON"));
        let twice = SMALL.replace(r#""typ": 0, "syn": [1, 1, 2]"#, r#""typ": 2, "syn": [1]"#);
        assert!(refused(&twice).contains("index 2: expected each pair once"));
        assert!(refused(&SMALL.replace(r#""B", "typ": 2"#, r#""", "typ": 2"#)).contains("`post`"));
    }

    #[test]
    fn the_worm_is_as_published() {
        let Some(path) = test_data("worm/connectome-white-1986-whole.json") else {
            eprintln!("skipped: the worm's wiring is not on this machine");
            return;
        };
        let wiring = Wiring::read(&path).unwrap();
        assert_eq!(
            (wiring.cells().len(), wiring.connections().len()),
            (319, 3549)
        );
        let total = |kind| {
            let of_kind = wiring.connections().iter().filter(|c| c.junction == kind);
            of_kind.map(|c| c.synapses).sum::<u32>()
        };
        assert_eq!(total(Junction::Chemical), 8189);
        assert_eq!(total(Junction::Electrical), 1928);
        let names: Vec<&str> = wiring.cells().iter().map(String::as_str).collect();
        let gaps = wiring.counts(Junction::Electrical, &names);
        assert_eq!(gaps, gaps.t());
        // The command interneuron for reversals drives the A-type motor neurons.
        let chemical = wiring.counts(Junction::Chemical, &["AVAL", "VA8"]);
        assert!(chemical[[0, 1]] > 0.0 && chemical[[1, 0]] == 0.0);
    }
}
