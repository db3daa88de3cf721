//! The `chiasm` command.

use chiasm::cli::{Catalogue, main as run};
use mimalloc::MiMalloc;

/// Arrays of a training step come back from it without the system's page faults.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    std::process::exit(run(&Catalogue::full(), std::env::args_os()).code());
}
