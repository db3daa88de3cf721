//! chiasm, the facade: everything under one name, and the command line over any catalogue.
//!
//! ```no_run
//! // The whole command line over studies of your own:
//! use chiasm::cli::{Catalogue, main};
//! let catalogue = Catalogue { entries: vec![], systems: &[] };
//! std::process::exit(main(&catalogue, std::env::args_os()).code());
//! ```

pub use {
    chiasm_analysis as analysis, chiasm_circuit as circuit, chiasm_core as core,
    chiasm_data as data, chiasm_lab as lab, chiasm_net as net, chiasm_probe as probe,
    chiasm_studies as studies,
};

pub mod cli;
