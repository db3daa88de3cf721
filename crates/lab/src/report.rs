//! The report of a run: one HTML file, complete in itself.
//!
//! It asks for nothing from outside, runs no script, reads on a phone, on paper, in light and in dark, and by keyboard
//! and screen reader; what is said in color is said in words too. Its order is a paper's: what it is, what was found,
//! claims beside measurements, figures, tables, then how it came about, how to repeat it and how to cite it.

mod cite;
mod figures;
mod tables;

use std::fmt::Write as _;
use std::path::Path;

use crate::draw::text::escape;
use crate::run::record::{RunRecord, Status, Task, VerdictRecord};

const STYLE: &str = include_str!("report/page.css");

/// Files of a run, by their path in its folder.
pub(crate) struct Files<'a>(&'a Path);

impl Files<'_> {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.0.join(path)).ok()
    }
}

/// The report of a run, as HTML, with the figures and tables read from the run's folder. A file that is missing there is
/// said to be missing; nothing else can go wrong.
#[must_use]
pub fn html(record: &RunRecord, folder: &Path) -> String {
    let files = Files(folder);
    let sections = sections(record, &files);
    let contents: String = sections
        .iter()
        .map(|(id, title, _)| format!("<li><a href=\"#{id}\">{title}</a></li>"))
        .collect();
    let body: String = sections
        .iter()
        .map(|(id, title, content)| {
            format!("<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">{title}</h2>\n{content}</section>\n")
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"generator\" content=\"chiasm {version}\">\n<title>{title} · chiasm</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#content\">Skip to the content</a>\n\
         <div class=\"frame\">\n{head}<nav aria-label=\"Contents\"><ol>{contents}</ol></nav>\n</header>\n\
         <main id=\"content\">\n{notes}{body}</main>\n\
         <footer>Made by chiasm {version}. This file is complete in itself: it runs no script and asks for nothing from \
         outside.</footer>\n</div>\n</body>\n</html>\n",
        version = escape(&record.provenance.version),
        title = escape(&record.study.title),
        head = head(record),
        notes = notes(record),
    )
}

/// Sections with something in them: id, title, content.
fn sections(record: &RunRecord, files: &Files) -> Vec<(&'static str, &'static str, String)> {
    let mut all = vec![];
    let mut add = |id, title, content: String| {
        if !content.is_empty() {
            all.push((id, title, content));
        }
    };
    add("summary", "Summary", summary(record));
    if !record.claims.is_empty() {
        add("claims", "Claims", tables::claims(record));
    }
    add("figures", "Figures", figures::section(record, files));
    add("tables", "Tables", left_tables(record, files));
    add("documents", "Files", left_documents(record));
    if !record.metrics.is_empty() {
        add("metrics", "Metrics", tables::metrics(record));
    }
    add("curves", "Curves", figures::curves(record));
    add("settings", "Settings", tables::settings(&record.config));
    add("repeat", "How to repeat it", repeat(record));
    add("provenance", "Provenance", provenance(record));
    add("cite", "How to cite", citation(record));
    all
}

fn head(record: &RunRecord) -> String {
    let what = match record.task {
        Task::Study => format!("{} preset", word(&record.preset)),
        Task::Fit => match &record.input {
            Some(input) => format!(
                "on {}",
                input
                    .paths
                    .iter()
                    .map(|p| file_name(p))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            None => "on own data".into(),
        },
    };
    let seeds: Vec<String> = record.seeds.iter().map(u64::to_string).collect();
    let seeds = match seeds.as_slice() {
        [one] => format!("seed {one}"),
        many => format!("seeds {}", many.join(", ")),
    };
    let when = record
        .provenance
        .finished
        .as_ref()
        .unwrap_or(&record.provenance.started);
    let day = when.split('T').next().unwrap_or(when);
    let paper = &record.paper;
    format!(
        "<header class=\"top\">\n<p class=\"kicker\"><b>chiasm</b> · <code>{name}</code> · {what} · {seeds} · <time \
         datetime=\"{when}\">{day}</time></p>\n<h1>{title}</h1>\n<p class=\"source\">{role} {authors}, <cite>{work}</cite>, \
         {venue} {year}.</p>\n{tally}",
        name = escape(&record.study.name),
        what = escape(&what),
        when = escape(when),
        day = escape(day),
        title = escape(&record.study.title),
        role = match record.task {
            Task::Study => "Reproduces",
            Task::Fit => "The method of",
        },
        authors = escape(&cite::short_authors(paper)),
        work = escape(&paper.title),
        venue = escape(&paper.venue),
        year = paper.year,
        tally = tally(record),
    )
}

/// How many claims hold, fail, and were not tested.
fn tally(record: &RunRecord) -> String {
    if record.claims.is_empty() {
        return String::new();
    }
    let (holds, fails, untested) = record.tally();
    let n = record.claims.len();
    let claims = |k: usize| if k == 1 { "claim" } else { "claims" };
    let mut items = String::new();
    for (count, verdict, words) in [
        (
            holds,
            VerdictRecord::Holds,
            if holds == 1 { "holds" } else { "hold" },
        ),
        (
            fails,
            VerdictRecord::Fails,
            if fails == 1 { "fails" } else { "fail" },
        ),
        (
            untested,
            VerdictRecord::NotAtThisScale,
            "not tested at this scale",
        ),
    ] {
        if count > 0 {
            let (class, _) = tables::verdict(verdict);
            let _ = write!(
                items,
                "<li><span class=\"verdict {class}\">{count} of {n} {} {words}</span></li>",
                claims(n)
            );
        }
    }
    format!("<ul class=\"tally\" aria-label=\"Verdicts\">{items}</ul>\n")
}

/// What must not be overlooked: an unfinished run, repairs of the input, remarks.
fn notes(record: &RunRecord) -> String {
    let mut html = String::new();
    if record.status != Status::Finished {
        let error = record
            .error
            .as_deref()
            .map_or(String::new(), |e| format!(": {}", escape(e)));
        let _ = writeln!(
            html,
            "<aside class=\"notes alarm\" aria-label=\"State of the run\"><h2>This run is not finished</h2><p>Its state is \
             “{}”{error}. What follows is what was done so far.</p></aside>",
            escape(&word(&record.status))
        );
    }
    let mut items: Vec<String> = record
        .repairs
        .iter()
        .map(|r| {
            format!(
                "Input repaired: {} ({}).",
                r.what.trim_end_matches('.'),
                r.n
            )
        })
        .collect();
    items.extend(record.notes.iter().map(|n| match n.seed {
        Some(seed) if record.seeds.len() > 1 => format!("Seed {seed}: {}", n.text),
        _ => n.text.clone(),
    }));
    if !items.is_empty() {
        let items: String = items
            .iter()
            .map(|i| format!("<li>{}</li>", escape(i)))
            .collect();
        let _ = writeln!(
            html,
            "<aside class=\"notes\" aria-label=\"Notes\"><h2>To bear in mind</h2><ul>{items}</ul></aside>"
        );
    }
    html
}

fn summary(record: &RunRecord) -> String {
    let mut paragraphs: String = record
        .summary
        .iter()
        .map(|p| format!("<p>{}</p>\n", escape(p)))
        .collect();
    let _ = writeln!(
        paragraphs,
        "<p class=\"quiet\">{}</p>",
        escape(&record.study.summary)
    );
    format!("<div class=\"summary\">\n{paragraphs}</div>\n")
}

fn left_tables(record: &RunRecord, files: &Files) -> String {
    let first = record.seeds.first();
    let shown = record.tables.iter().filter(|t| Some(&t.seed) == first);
    let mut html = String::new();
    for table in shown {
        match files.read(&table.file) {
            Some(csv) => {
                let link = figures::link("Data", &table.file, "text/csv", &csv);
                html.push_str(&tables::left(
                    table,
                    &csv,
                    &format!("<span>Download</span><span>{link}</span>"),
                ));
            }
            None => {
                let _ = writeln!(
                    html,
                    "<p class=\"quiet\">{}: the file <code>{}</code> is missing.</p>",
                    escape(&table.title),
                    escape(&table.file)
                );
            }
        }
    }
    html
}

/// Text files are named and not embedded: they are for other programs.
fn left_documents(record: &RunRecord) -> String {
    let first = record.seeds.first();
    let shown = record.documents.iter().filter(|d| Some(&d.seed) == first);
    let mut items = String::new();
    for document in shown {
        let (file, title) = (escape(&document.file), escape(&document.title));
        let _ = writeln!(
            items,
            "<li>{title}: <a href=\"{file}\"><code>{file}</code></a></li>"
        );
    }
    if items.is_empty() {
        return items;
    }
    format!("<p class=\"quiet\">In the run folder:</p>\n<ul>\n{items}</ul>\n")
}

fn repeat(record: &RunRecord) -> String {
    let provenance = &record.provenance;
    let commit = provenance
        .commit
        .as_deref()
        .map_or(String::new(), |c| format!(" (commit {})", short(c)));
    let mut html = format!(
        "<p>With chiasm {}{}, this makes the same numbers, to the last bit, on any number of threads:</p>\n\
         <pre tabindex=\"0\"><code>{}</code></pre>\n",
        escape(&provenance.version),
        escape(&commit),
        escape(&provenance.command)
    );
    if record.recordings.is_empty() {
        return html;
    }
    html.push_str("<p>The run folder also holds these recordings, each of which any method of chiasm takes:</p>\n<ul>\n");
    for r in &record.recordings {
        let _ = writeln!(
            html,
            "<li><code>{}</code> ({}, {} units)</li>",
            escape(&r.file),
            escape(&r.name),
            r.n_units
        );
    }
    html.push_str("</ul>\n");
    html
}

fn provenance(record: &RunRecord) -> String {
    let p = &record.provenance;
    let memory = record
        .peak_memory_bytes
        .map(|b| format!("{:.0} MiB", b as f64 / 1_048_576.0));
    let resumed = (p.resumed > 0).then(|| format!("{} times", p.resumed));
    let threads = format!("{} on {}", p.threads, p.device);
    let seconds = duration(record.wall_s);
    let facts = [
        ("chiasm", Some(p.version.as_str())),
        ("Commit", p.commit.as_deref()),
        ("Built with", Some(p.compiler.as_str())),
        ("Built for", Some(p.target.as_str())),
        ("Machine", Some(p.machine.as_str())),
        ("Threads", Some(threads.as_str())),
        ("Started", Some(p.started.as_str())),
        ("Finished", p.finished.as_deref()),
        ("Taken up again", resumed.as_deref()),
        ("Work", Some(seconds.as_str())),
        ("Peak memory", memory.as_deref()),
    ];
    let mut list = String::new();
    for (name, value) in facts {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            let _ = writeln!(list, "<dt>{name}</dt><dd>{}</dd>", escape(value));
        }
    }
    for file in &p.data {
        let _ = writeln!(
            list,
            "<dt>Data</dt><dd><code>{}</code>, {} bytes<span class=\"small\">SHA-256 <code>{}</code></span></dd>",
            escape(&file.path),
            file.bytes,
            escape(&file.sha256)
        );
    }
    if let Some(input) = &record.input {
        if let Some(map) = &input.map {
            let _ = writeln!(
                list,
                "<dt>Mapping</dt><dd><code>{}</code></dd>",
                escape(map)
            );
        }
        let _ = writeln!(
            list,
            "<dt>Missing samples</dt><dd>{}</dd>",
            escape(&input.missing)
        );
        if let Some(span) = &input.span {
            let span = escape(&span.replacen(',', " to ", 1));
            let _ = writeln!(list, "<dt>Span kept</dt><dd>{span} s</dd>");
        }
    }
    format!("<dl>\n{list}</dl>\n")
}

fn citation(record: &RunRecord) -> String {
    let paper = &record.paper;
    // Only web addresses become links.
    let link = if paper.link.starts_with("https://") || paper.link.starts_with("http://") {
        format!(
            "<a href=\"{0}\" rel=\"noreferrer\">{0}</a>",
            escape(&paper.link)
        )
    } else {
        escape(&paper.link)
    };
    format!(
        "<p>{} {link}</p>\n<p>{}</p>\n<pre tabindex=\"0\" aria-label=\"BibTeX\"><code>{}</code></pre>\n",
        escape(&cite::sentence(paper)),
        escape(&cite::chiasm_sentence(&record.provenance)),
        escape_lines(&cite::bibtex(paper, &record.provenance))
    )
}

/// As [`escape`], with line breaks kept.
fn escape_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

/// An enum's name as it stands in the record.
fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn file_name(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned()
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 60.0 => format!("{} s", crate::draw::number(s, 3)),
        s if s < 3600.0 => format!("{} min {:02} s", (s / 60.0).floor(), (s % 60.0).floor()),
        s => format!(
            "{} h {:02} min",
            (s / 3600.0).floor(),
            ((s % 3600.0) / 60.0).floor()
        ),
    }
}
