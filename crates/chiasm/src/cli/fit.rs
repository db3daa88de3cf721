//! `chiasm fit`: a study's method on the user's own recording.

use chiasm_core::Failure;

use super::args::FitArgs;
use super::{Context, Exit, run};

pub(super) fn fit(args: &FitArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    run::launch("fit", &args.method, Some(&args.files), &args.how, context)
}
