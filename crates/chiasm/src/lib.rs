//! chiasm, the facade: everything under one name.
pub use {
    chiasm_analysis as analysis, chiasm_core as core, chiasm_data as data, chiasm_lab as lab,
    chiasm_studies as studies,
};
