//! `chiasm list`: the catalogue.

use chiasm_core::Failure;
use chiasm_lab::Area;

use super::args::ListArgs;
use super::errors::Unknown;
use super::json::{BuildStatus, ListJson, ListedSystem};
use super::{Catalogue, Context, Exit, text};

const AREAS: [(&str, Area); 8] = [
    ("recordings", Area::Recordings),
    ("spiking", Area::Spiking),
    ("neurons", Area::Neurons),
    ("continual", Area::Continual),
    ("embodied", Area::Embodied),
    ("microscope", Area::Microscope),
    ("learning", Area::Learning),
    ("structure", Area::Structure),
];

pub(super) fn list(args: &ListArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    let area = args.area.as_deref().map(area_named).transpose()?;
    let mut systems = systems(context.catalogue);
    systems.retain(|s| area.is_none_or(|a| s.area == a));
    let json = ListJson::new(systems);
    context.output.result(&json, || as_text(&json.studies));
    Ok(Exit::Done)
}

fn area_named(given: &str) -> Result<Area, Failure> {
    let found = AREAS.iter().find(|(name, _)| *name == given);
    found.map(|(_, area)| *area).ok_or_else(|| {
        Unknown::Area {
            given: given.into(),
            known: AREAS.iter().map(|(name, _)| *name).collect(),
        }
        .into()
    })
}

/// All systems: what is built as its study describes itself, then what is planned, by the number of the paper.
fn systems(catalogue: &Catalogue) -> Vec<ListedSystem> {
    let built = catalogue.entries.iter().map(|e| {
        let info = e.info();
        ListedSystem {
            card: info.paper.card,
            name: info.name.into(),
            area: info.area,
            home: info.home.into(),
            title: info.title.into(),
            status: BuildStatus::Built,
            takes_data: e.fit().is_ok(),
        }
    });
    let is_built = |name: &str| catalogue.entries.iter().any(|e| e.info().name == name);
    let planned = catalogue.systems.iter().filter(|s| !is_built(s.name));
    let planned = planned.map(|s| ListedSystem {
        card: s.card,
        name: s.name.into(),
        area: s.area,
        home: s.home.into(),
        title: s.title.into(),
        status: BuildStatus::Planned,
        takes_data: false,
    });
    let mut all: Vec<ListedSystem> = built.chain(planned).collect();
    all.sort_by_key(|s| s.card);
    all
}

fn as_text(systems: &[ListedSystem]) -> String {
    let column = systems.iter().map(|s| s.name.len()).max().unwrap_or(0) + 6;
    let mut lines = Vec::new();
    for (name, area) in AREAS {
        let mut of_area = systems.iter().filter(|s| s.area == area).peekable();
        if of_area.peek().is_none() {
            continue;
        }
        lines.push(name.to_owned());
        for s in of_area {
            let mark = match s.status {
                BuildStatus::Built => "*",
                BuildStatus::Planned => " ",
            };
            lines.push(text::entry(
                &format!("{mark} {}", s.name),
                &s.title,
                column + 2,
            ));
        }
        lines.push(String::new());
    }
    let built = systems
        .iter()
        .filter(|s| s.status == BuildStatus::Built)
        .count();
    lines.push(format!(
        "* built ({built}): chiasm show STUDY, chiasm run STUDY; the others ({}) are planned",
        systems.len() - built
    ));
    lines.join("\n")
}
