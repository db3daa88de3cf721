use super::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Serialize, Deserialize, JsonSchema, Clone, PartialEq, Debug)]
struct Config {
    /// Number of components.
    rank: usize,
    /// Learning rate.
    rate: f64,
    /// A name.
    name: String,
    /// Stops early.
    limit: Option<u32>,
    sizes: Vec<u32>,
    pair: (f64, f64),
    /// What is shared.
    kernel: Kernel,
    prior: Prior,
    nested: Nested,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, PartialEq, Debug)]
#[serde(rename_all = "kebab-case")]
enum Kernel {
    /// Straight.
    Linear,
    /// Round.
    Gaussian { width: f64 },
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, PartialEq, Debug)]
#[serde(rename_all = "kebab-case")]
enum Prior {
    Flat,
    Sharp,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, PartialEq, Debug)]
struct Nested {
    /// Depth of it.
    depth: u8,
    on: bool,
}

fn schema() -> Value {
    schemars::schema_for!(Config).to_value()
}

fn config() -> Value {
    serde_json::to_value(Config {
        rank: 3,
        rate: 0.1,
        name: "a".into(),
        limit: None,
        sizes: vec![1],
        pair: (0.0, 1.0),
        kernel: Kernel::Linear,
        prior: Prior::Flat,
        nested: Nested {
            depth: 2,
            on: false,
        },
    })
    .expect("plain")
}

fn with(assignments: &[&str]) -> Result<Config, String> {
    let mut config = config();
    for a in assignments {
        set(&schema(), &mut config, a).map_err(|e| match e.help() {
            Some(help) => format!("{e}; {help}"),
            None => e.to_string(),
        })?;
    }
    serde_json::from_value(config).map_err(|e| e.to_string())
}

#[test]
fn values_are_json_then_text() {
    let got = with(&[
        "rank=6",
        "rate=2",
        "name=7",
        "limit=9",
        "sizes=[3, 4]",
        "pair=[1,2.5]",
        "kernel.gaussian.width=0.5",
        "prior=sharp",
        "nested.on=true",
        "nested.depth = 5",
    ])
    .expect("all fit");
    assert_eq!((got.rank, got.rate, got.name.as_str()), (6, 2.0, "7"));
    assert_eq!(
        (got.limit, got.sizes, got.pair),
        (Some(9), vec![3, 4], (1.0, 2.5))
    );
    assert_eq!(got.kernel, Kernel::Gaussian { width: 0.5 });
    assert_eq!(got.prior, Prior::Sharp);
    assert_eq!(got.nested, Nested { depth: 5, on: true });
    assert_eq!(with(&["limit=3", "limit=null"]).expect("null").limit, None);
    let back = with(&["kernel.gaussian.width=1", "kernel=linear"]).expect("variants change");
    assert_eq!(back.kernel, Kernel::Linear);
    let name = with(&["name=\"quoted = text\""]).expect("JSON text");
    assert_eq!(name.name, "quoted = text");
}

#[test]
fn refusals_say_what_to_fix() {
    let refusal = |a: &str| with(&[a]).expect_err("must be refused");
    assert_eq!(
        refusal("rnak=3"),
        "unknown setting `rnak`; did you mean `rank`?"
    );
    assert_eq!(
        refusal("nested.dept=3"),
        "unknown setting `nested.dept`; did you mean `nested.depth`?"
    );
    assert_eq!(
        refusal("depth=3"),
        "unknown setting `depth`; did you mean `nested.depth`?"
    );
    assert!(refusal("zzzzzzzzz=1").contains("known are: rank, rate"));
    assert_eq!(
        refusal("rank=many"),
        "setting `rank`: expected a whole number of at least 0, found `many`"
    );
    assert_eq!(
        refusal("rank=-1"),
        "setting `rank`: expected a whole number of at least 0, found -1"
    );
    assert_eq!(
        refusal("rank=2.5"),
        "setting `rank`: expected a whole number of at least 0, found 2.5"
    );
    assert_eq!(
        refusal("rate=fast"),
        "setting `rate`: expected a number, found `fast`"
    );
    assert_eq!(
        refusal("prior=blunt"),
        "setting `prior`: expected one of flat, sharp, found `blunt`"
    );
    assert!(refusal("sizes=[1,\"x\"]").contains("a list, each a whole number"));
    assert!(refusal("nested.depth=256").contains("from 0 to 255"));
    assert!(refusal("rank.deep=1").contains("unknown setting `rank.deep`"));
    assert!(refusal("rank").contains("expected key=value"));
    assert!(refusal("=3").contains("expected key=value"));
    assert!(refusal("nested=3").contains("expected settings (depth, on)"));
    assert!(refusal("kernel=cubic").contains("linear"));
}

#[test]
fn a_refused_setting_changes_nothing() {
    let mut changed = config();
    assert!(
        set(
            &schema(),
            &mut changed,
            "kernel={\"gaussian\": {\"width\": \"x\"}}"
        )
        .is_err()
    );
    assert_eq!(changed, config());
}

#[test]
fn toml_goes_both_ways_and_names_its_line() {
    let mut changed = config();
    set(&schema(), &mut changed, "rate=0.30000000000000004").expect("fits");
    let text = to_toml(&changed).expect("fits TOML");
    let mut read = config();
    set_from_toml(&schema(), &mut read, Path::new("c.toml"), &text).expect("reads");
    assert_eq!(read, changed);

    let refusal = |text: &str| {
        set_from_toml(&schema(), &mut config(), Path::new("c.toml"), text).expect_err("refused")
    };
    let SettingsError::File {
        message,
        help,
        span,
        ..
    } = refusal("rank = 3\n[nested]\ndepht = 2\n")
    else {
        panic!("a file error");
    };
    assert_eq!(message, "unknown setting `nested.depht`");
    assert_eq!(help.as_deref(), Some("did you mean `nested.depth`?"));
    assert_eq!(span, Some(18..27));
    let SettingsError::File { message, span, .. } = refusal("rank = = 3") else {
        panic!("a file error");
    };
    assert!(message.starts_with("not TOML") && span.is_some());
}

#[test]
fn settings_are_described_with_keys_defaults_and_help() {
    let mut paper = config();
    set(&schema(), &mut paper, "rank=12").expect("fits");
    let all = describe(&schema(), &config(), &paper);
    let keys: Vec<&str> = all.iter().map(|s| s.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "rank",
            "rate",
            "name",
            "limit",
            "sizes",
            "pair",
            "kernel",
            "prior",
            "nested.depth",
            "nested.on"
        ]
    );
    assert_eq!(all[0].help, "Number of components.");
    assert_eq!(
        (&all[0].default, &all[0].paper),
        (&json!(3), &Some(json!(12)))
    );
    assert_eq!(all[8].expects, "a whole number from 0 to 255");
    assert!(all[1].paper.is_none());
}
