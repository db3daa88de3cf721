//! The report as a reader sees it: opened in headless Chromium, 390 px wide as on a phone, in light and in dark.
//!
//! Without Chromium the test says that it was skipped; with `CHIASM_REQUIRE_CHROMIUM=1` that is a failure.

mod support;

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use serde_json::Value;

/// What the harness saw in the page.
struct Seen(Value);

impl Seen {
    fn list(&self, name: &str) -> Vec<&str> {
        let list = self.0[name].as_array().expect("a list");
        list.iter().map(|v| v.as_str().expect("text")).collect()
    }

    fn number(&self, name: &str) -> u64 {
        self.0[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name} in {}", self.0))
    }
}

/// Chromium, if this machine has one.
#[allow(clippy::print_stderr)] // A test that was skipped says so.
fn chromium() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok());
    let required = std::env::var("CHIASM_REQUIRE_CHROMIUM").is_ok_and(|v| v == "1");
    assert!(
        found.is_some() || !required,
        "CHIASM_REQUIRE_CHROMIUM=1, but there is no chromium"
    );
    if found.is_none() {
        eprintln!("skipped: no chromium on this machine");
    }
    found
}

/// Opens the report in a frame of this width and returns what the harness measured.
fn open(browser: &str, report: &str, width: u32, dark: bool, folder: &Path) -> Seen {
    // Ahead of the page's own rules, which allow no script, so that nothing is missed.
    let watch = "<head><script>window.problems=[];const tell=(e)=>window.problems.push(String(e.message||e.violatedDirective||e.target&&e.target.outerHTML||e));\
                 addEventListener('error',tell,true);addEventListener('unhandledrejection',tell);document.addEventListener('securitypolicyviolation',tell);\
                 for(const k of ['error','warn'])console[k]=(...a)=>window.problems.push(a.join(' '));</script>";
    let page = report.replacen("<head>", watch, 1);
    let page = page.replace('&', "&amp;").replace('"', "&quot;");
    let harness = include_str!("report/harness.js");
    let outer = format!(
        "<!doctype html><meta charset=utf-8><meta name=color-scheme content=\"light dark\"><body>\
         <iframe width={width} height=800 style=\"border:0\" srcdoc=\"{page}\"></iframe><script>{harness}</script>"
    );
    let file = folder.join(format!("harness-{width}-{dark}.html"));
    std::fs::write(&file, outer).expect("harness");
    let mut command = Command::new(browser);
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .args([
            "--hide-scrollbars",
            "--window-size=1300,900",
            "--virtual-time-budget=20000",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ));
    if dark {
        command.args([
            "--force-dark-mode",
            "--blink-settings=preferredColorScheme=0",
        ]);
    } else {
        command.arg("--blink-settings=preferredColorScheme=1");
    }
    let output = command
        .arg("--dump-dom")
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("chromium runs");
    let dom = String::from_utf8_lossy(&output.stdout);
    // The last one: the harness itself holds the word too.
    let result = dom
        .rsplit("RESULT")
        .next()
        .and_then(|rest| rest.split("END").next());
    let result = result.unwrap_or_else(|| {
        panic!(
            "no result from chromium: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    });
    let plain = result
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    Seen(serde_json::from_str(&plain).expect("JSON"))
}

#[test]
fn the_report_reads_on_a_phone_in_light_and_dark_without_a_word_from_outside() {
    let Some(browser) = chromium() else { return };
    let folder = tempfile::tempdir().expect("folder");
    let (record, run) = support::finished_run(folder.path());
    let report = std::fs::read_to_string(run.join("report.html")).expect("report");
    // Kept for people to look at.
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report.html");
    std::fs::write(kept, &report).expect("kept");

    let shown: Vec<_> = record.figures.iter().filter(|f| f.seed == 1).collect();
    let mut papers = vec![];
    for (width, dark) in [(390, false), (390, true), (1200, false)] {
        let seen = open(browser, &report, width, dark, folder.path());
        let none: Vec<&str> = vec![];
        assert_eq!(
            seen.list("problems"),
            none,
            "nothing on the console at {width}"
        );
        assert_eq!(seen.number("inner"), u64::from(width));
        assert!(
            seen.number("width") <= u64::from(width),
            "{} px wide at {width}",
            seen.number("width")
        );
        assert_eq!(seen.list("wide"), none, "sticks out at {width}");
        // The figures left by the study, and the curves that it logged.
        assert_eq!(seen.number("figures"), shown.len() as u64 + 1, "at {width}");
        assert_eq!(
            seen.number("captions"),
            shown.len() as u64 + 1,
            "at {width}"
        );
        assert_eq!(seen.number("unlabelled"), 0);
        assert_eq!(seen.number("unreachable"), 0);
        assert_eq!(seen.number("broken"), 0);
        assert_eq!(seen.list("twice"), none);
        assert_eq!(seen.list("faint"), none, "text too faint, dark: {dark}");
        assert_eq!(
            seen.list("verdicts"),
            ["holds", "fails", "not at this scale"]
        );
        let downloads = seen.list("downloads");
        for figure in &shown {
            for file in [&figure.svg, &figure.png] {
                let name = file.rsplit('/').next().expect("name");
                assert!(downloads.contains(&name), "{name} in {downloads:?}");
            }
        }
        assert!(downloads.iter().any(|d| d.ends_with(".csv")));
        papers.push((seen.0["paper"].to_string(), seen.0["ink"].to_string()));
    }
    assert_ne!(papers[0].0, papers[1].0, "dark paper");
    assert_ne!(papers[0].1, papers[1].1, "dark figures");
}

/// What the links save is what stands in the run folder.
#[test]
fn downloads_are_the_files_themselves() {
    let folder = tempfile::tempdir().expect("folder");
    let (record, run) = support::finished_run(folder.path());
    let report = std::fs::read_to_string(run.join("report.html")).expect("report");
    // Those of the first seed are in the report; those of the others are named there.
    let figures = record.figures.iter().filter(|f| f.seed == 1);
    let tables = record.tables.iter().filter(|t| t.seed == 1);
    for path in figures
        .flat_map(|f| [&f.svg, &f.png])
        .chain(tables.map(|t| &t.file))
    {
        let name = path.rsplit('/').next().expect("name");
        let link = format!("download=\"{name}\" href=\"data:");
        let data = report
            .split(&link)
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let data = data.unwrap_or_else(|| panic!("a link for {name}"));
        let (_, data) = data.split_once(";base64,").expect("base64");
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(data)
            .expect("base64");
        assert_eq!(
            bytes,
            std::fs::read(run.join(path)).expect("file"),
            "{name}"
        );
    }
    assert!(!report.contains("http-equiv=\"refresh\"") && !report.contains("<script"));
    // Links to the paper and to chiasm are the only addresses; nothing is fetched from them.
    for tag in ["<link", "<img src=\"http", "url(http", "@import", "<iframe"] {
        assert!(!report.contains(tag), "{tag}");
    }
}
