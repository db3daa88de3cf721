//! `chiasm completions` and `chiasm man`: both from the one definition in `args`.

use chiasm_core::Failure;
use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::errors::Unknown;
use super::{Context, Exit};

pub(super) fn completions(args: &CompletionsArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "chiasm", &mut script);
    context.output.text(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}

pub(super) fn man(args: &ManArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    let mut root = Cli::command();
    root.build();
    let command = match &args.verb {
        None => root,
        Some(verb) => {
            let found = root.find_subcommand(verb).cloned();
            found.ok_or_else(|| Unknown::Verb {
                given: verb.clone(),
                known: root
                    .get_subcommands()
                    .map(|c| c.get_name().to_owned())
                    .collect(),
            })?
        }
    };
    let mut page = Vec::new();
    // Writing into memory cannot fail.
    let _ = clap_mangen::Man::new(command).render(&mut page);
    context.output.text(&String::from_utf8_lossy(&page));
    Ok(Exit::Done)
}
