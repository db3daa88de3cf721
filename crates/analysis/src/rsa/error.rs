//! What can be wrong with RDMs or with what is asked of them.

use chiasm_core::{Diagnose, Group};

/// A fault of representational similarity analysis.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RsaError {
    /// Thresholds are not 0 <= l < u <= 1.
    #[error("thresholds: expected 0 <= l < u <= 1, found l = {l}, u = {u}")]
    Thresholds {
        /// The lower.
        l: f64,
        /// The upper.
        u: f64,
    },
    /// A parameter is out of its range.
    #[error("`{name}`: expected {expected}, found {found}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What would be accepted.
        expected: &'static str,
        /// What was given.
        found: f64,
    },
    /// An array has another shape than the rest of the input asks for.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// The shape that would fit.
        expected: String,
        /// The shape that came.
        found: String,
    },
    /// All values of an RDM or pattern are equal, so that there is nothing to rank or correlate.
    #[error("{what}: all values are equal ({value}) or there are none")]
    Constant {
        /// Which RDM, pattern or vector.
        what: String,
        /// The value.
        value: f64,
    },
    /// A value is NaN or infinite.
    #[error("{what}, index {index}: expected a finite value, found {value}")]
    NotFinite {
        /// Which RDM or pattern.
        what: String,
        /// Position from 0.
        index: usize,
        /// The value.
        value: f64,
    },
    /// Every edge of the graph was deleted.
    #[error("{what}: no edge is left at these thresholds, so there are no geodesics")]
    NoEdges {
        /// Which RDM.
        what: String,
    },
    /// All geodesics have one length: edges of length 0 connect everything, or nothing but one length is left.
    #[error("{what}: all geodesics have the length {length}, so that there is nothing to rank")]
    FlatGeodesics {
        /// Which RDM.
        what: String,
        /// That length.
        length: f64,
    },
    /// RDMs lack a label that the analysis needs.
    #[error("RDM `{rdm}` (index {index}) has no {label}")]
    Unlabelled {
        /// Its name.
        rdm: String,
        /// Its position from 0.
        index: usize,
        /// `subject` or `region`.
        label: &'static str,
    },
    /// Fewer than two subjects: none can be left out.
    #[error("identification leaves one subject out: expected at least 2 subjects, found {found}")]
    OneSubject {
        /// How many.
        found: usize,
    },
    /// Fewer than two regions: nothing to tell apart.
    #[error("identification tells regions apart: expected at least 2 regions, found {found}")]
    OneRegion {
        /// How many.
        found: usize,
    },
    /// A region is found in one subject alone, so that leaving that subject out leaves no training RDM of it.
    #[error(
        "region `{region}` is found in subject `{subject}` alone: no training RDM is left without that subject"
    )]
    RegionMissing {
        /// The region.
        region: String,
        /// The subject that has it.
        subject: String,
    },
    /// A recording has too few conditions.
    #[error("patterns: expected at least 3 conditions, found {found} ({from})")]
    FewConditions {
        /// How many.
        found: usize,
        /// Where they were looked for.
        from: String,
    },
    /// A unit has no sample in a condition, so that its mean there does not exist.
    #[error(
        "condition `{condition}`, one of {n_conditions}: unit {unit} has no sample in it ({n_missing} missing), of \
         {n_samples} samples in all"
    )]
    NoSample {
        /// Its name: a label, or the number of the bin from 0.
        condition: String,
        /// How many conditions were asked for.
        n_conditions: usize,
        /// The unit's position from 0.
        unit: usize,
        /// How many samples in the condition are there, but missing (NaN).
        n_missing: usize,
        /// Samples of the whole recording.
        n_samples: usize,
    },
    /// A recording of spikes has no time in a condition, so that there is no rate.
    #[error("condition `{condition}`, one of {n_conditions}: no recorded time lies in it")]
    NoTime {
        /// Its name: a label, or the number of the bin from 0.
        condition: String,
        /// How many conditions were asked for.
        n_conditions: usize,
    },
    /// The work was stopped on request.
    #[error(transparent)]
    Cancelled(#[from] chiasm_core::Cancelled),
}

impl Diagnose for RsaError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            Self::NoEdges { .. } | Self::FlatGeodesics { .. } => Group::Numerical,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Thresholds { .. } => "l and u are fractions of the ranks, such as 0.2 and 0.8",
            Self::Constant { .. } => "leave it out: it has no geometry",
            Self::NoEdges { .. } => "raise the upper threshold",
            Self::FlatGeodesics { .. } => {
                "set the lower threshold to 0, or count edges of length 0 as missing"
            }
            Self::Unlabelled { .. } | Self::OneSubject { .. } | Self::OneRegion { .. } => {
                "give subject and region of each RDM with labels=FILE.csv (columns subject,region)"
            }
            Self::NoSample { n_missing: 0, .. } => {
                "ask for fewer conditions: each needs a sample, so no more bins than samples"
            }
            Self::NoSample { .. } => "leave out that unit, or ask for fewer and longer conditions",
            Self::NoTime { .. } => "leave out conditions that lie outside of the recording",
            Self::RegionMissing { .. } => "leave out that region, or add a second subject",
            _ => return None,
        };
        Some(help.into())
    }
}
