//! The `chiasm` command.

use chiasm::cli::{Catalogue, main as run};

fn main() {
    std::process::exit(run(&Catalogue::full(), std::env::args_os()).code());
}
