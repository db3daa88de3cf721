//! `chiasm data`: data sets and formats.
//!
//! Verbs go into [`DataVerb`], their bodies below [`data`]. Results go out through `context.output` (`result`, with a
//! `format` and a `kind` for programs and a text for people), messages through `context.output.message`.

use chiasm_core::Failure;
use chiasm_data::datasets;
use clap::{Args, Subcommand};

use super::{Context, Exit, text};

#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct DataArgs {
    #[command(subcommand)]
    verb: DataVerb,
}

#[derive(Debug, Subcommand)]
enum DataVerb {
    /// List the data sets that chiasm can fetch
    List,
}

pub(super) fn data(args: &DataArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    match &args.verb {
        DataVerb::List => list(context),
    }
    Ok(Exit::Done)
}

fn list(context: &Context<'_>) {
    let all = datasets::all();
    let json = serde_json::json!({
        "format": chiasm_lab::run::FORMAT,
        "kind": "data-list",
        "datasets": all.iter().map(|set| serde_json::json!({
            "name": set.name,
            "what": set.what,
            "page": set.page,
            "licence": set.licence,
            "citation": set.citation,
            "bytes": set.size(),
        })).collect::<Vec<_>>(),
    });
    context.output.result(&json, || {
        let each = all.iter().map(|set| {
            let size = set.size() as f64 / (1024.0 * 1024.0);
            text::entry(set.name, &format!("{} ({size:.1} MiB)", set.what), 24)
        });
        each.collect::<Vec<_>>().join("\n")
    });
}
