//! How to cite: the paper and chiasm, as sentences and as BibTeX.

use std::fmt::Write as _;

use crate::run::record::{PaperRecord, Provenance};

/// Where chiasm lives.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The paper in one sentence.
pub(super) fn sentence(paper: &PaperRecord) -> String {
    let authors = paper.authors.trim_end_matches('.');
    let title = paper.title.trim_end_matches('.');
    format!("{authors}. {title}. {} ({}).", paper.venue, paper.year)
}

/// The paper's authors as they stand in running text: the first one, and whether there are more.
pub(super) fn short_authors(paper: &PaperRecord) -> String {
    let all = authors(&paper.authors);
    match all.as_slice() {
        [] => String::new(),
        [one] => surname(one).to_owned(),
        [one, two] if two != "others" => format!("{} and {}", surname(one), surname(two)),
        [one, ..] => format!("{} et al.", surname(one)),
    }
}

/// chiasm in one sentence, with the version that made the run.
pub(super) fn chiasm_sentence(provenance: &Provenance) -> String {
    let commit = provenance
        .commit
        .as_deref()
        .map(|c| format!(", commit {c}"));
    format!(
        "The chiasm developers. chiasm: a Rust toolkit for computational neuroscience. Version {}{}. {REPOSITORY}",
        provenance.version,
        commit.unwrap_or_default()
    )
}

/// Both as BibTeX.
pub(super) fn bibtex(paper: &PaperRecord, provenance: &Provenance) -> String {
    let all = authors(&paper.authors);
    let first = all.first().map_or("", |a| surname(a));
    let key: String = first.chars().filter(char::is_ascii_alphanumeric).collect();
    let key = format!("{}{}", key.to_lowercase(), paper.year);
    let archive = ["arxiv", "biorxiv", "psyarxiv", "preprint"];
    let venue = paper.venue.to_lowercase();
    let (kind, field) = if archive.iter().any(|a| venue.contains(a)) {
        ("misc", "howpublished")
    } else if [
        "proceedings",
        "conference",
        "neurips",
        "iclr",
        "icml",
        "workshop",
    ]
    .iter()
    .any(|c| venue.contains(c))
    {
        ("inproceedings", "booktitle")
    } else {
        ("article", "journal")
    };
    let mut text = format!("@{kind}{{{key},\n");
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "  {name:<12} = {{{}}},", escape(value));
        }
    };
    add("author", &all.join(" and "));
    add("title", &paper.title);
    add(field, &paper.venue);
    add("year", &paper.year.to_string());
    let doi = paper
        .link
        .find("10.")
        .filter(|_| paper.link.contains("doi"));
    match doi {
        Some(at) => add("doi", &paper.link[at..]),
        None => add("url", &paper.link),
    }
    text.push_str("}\n\n@software{chiasm,\n");
    let mut add = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<12} = {{{}}},", escape(value));
    };
    add("author", "{The chiasm developers}");
    add(
        "title",
        "chiasm: a Rust toolkit for computational neuroscience",
    );
    add("version", &provenance.version);
    if let Some(commit) = &provenance.commit {
        add("note", &format!("commit {commit}"));
    }
    add("url", REPOSITORY);
    text.push('}');
    text
}

/// The authors one by one. Lists come as `A. Last, B. Last and C. Last` or `Last, A., Last, B.`; a piece of initials
/// belongs to the name before it.
fn authors(list: &str) -> Vec<String> {
    let list = list
        .replace(" and ", ", ")
        .replace(" & ", ", ")
        .replace(';', ",");
    let mut names: Vec<String> = vec![];
    for piece in list.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let initials = piece.len() <= 8
            && piece
                .split([' ', '-'])
                .all(|p| p.ends_with('.') && p.len() <= 3);
        match names.last_mut() {
            Some(name) if initials => {
                name.push_str(", ");
                name.push_str(piece);
            }
            _ if piece.starts_with("et al") => names.push("others".into()),
            _ => match piece
                .strip_suffix(" et al.")
                .or(piece.strip_suffix(" et al"))
            {
                Some(first) => names.extend([first.to_owned(), "others".to_owned()]),
                None => names.push(piece.to_owned()),
            },
        }
    }
    names
}

/// The family name: before a comma; else before trailing initials (`Smith AB`); else the last word.
fn surname(name: &str) -> &str {
    if let Some((family, _)) = name.split_once(',') {
        return family;
    }
    match name.rsplit_once(' ') {
        Some((family, last)) if last.len() <= 3 && last.chars().all(|c| c.is_ascii_uppercase()) => {
            family
        }
        Some((_, last)) => last,
        None => name,
    }
}

fn escape(value: &str) -> String {
    let mut safe = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '&' | '%' | '#' | '_' | '$') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_are_told_apart_in_the_usual_ways_of_writing_them() {
        assert_eq!(
            authors("A. Ng, B. Li and C. Wu"),
            ["A. Ng", "B. Li", "C. Wu"]
        );
        assert_eq!(authors("Ng, A., Li, B.-C."), ["Ng, A.", "Li, B.-C."]);
        assert_eq!(authors("Ng A, Li BC"), ["Ng A", "Li BC"]);
        assert_eq!(authors("Ng et al."), ["Ng", "others"]);
        assert_eq!(surname("Ng, A."), "Ng");
        assert_eq!(surname("Anna van Ng"), "Ng");
        assert_eq!(surname("Ng AB"), "Ng");
    }
}
