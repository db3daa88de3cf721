//! The study protocol: what a study is, what it is given, what it leaves behind. The lab knows no method.
//!
//! - [`study`]: [`Study`], a paper's experiment; [`Fit`], a method on the user's own data; [`Entry`], either of them in
//!   a catalogue;
//! - [`claim`]: [`ClaimSpec`], a paper's statement bound to a metric, judged here and nowhere else;
//! - [`mod@bench`]: [`Bench`], what a study is given: streams, progress, metrics, figures, checkpoints;
//! - [`run`]: runs on disk, over seeds, resumable; [`RunRecord`] is what is known of one;
//! - [`compare`]: two runs side by side;
//! - [`conformance`]: what every study keeps to, checked;
//! - [`settings`]: settings from the outside, checked against a study's schema;
//! - [`figure`]: figures as data plus a small description; [`draw`] turns them into SVG, PNG and CSV;
//! - [`report`]: the one HTML file that a run ends with.

pub mod bench;
pub mod claim;
pub mod compare;
pub mod conformance;
pub mod draw;
pub mod figure;
pub mod report;
pub mod run;
pub mod settings;
pub mod study;

pub use bench::{Bench, Findings};
pub use claim::{Bound, ClaimKind, ClaimSpec, Verdict};
pub use figure::Figure;
pub use run::RunRecord;
pub use study::{Area, Entry, Fit, Input, Paper, Preset, Settings, Study, StudyInfo};
