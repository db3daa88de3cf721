//! The `chiasm` command.

use chiasm::cli::{Catalogue, main as run};
use mimalloc::MiMalloc;

/// It keeps the arrays of a training step for the next one, where the system's would take them anew, page by page.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    std::process::exit(run(&Catalogue::full(), std::env::args_os()).code());
}
