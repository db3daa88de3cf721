use std::collections::BTreeMap;
use std::path::PathBuf;

use chiasm_data::DiskFiles;
use chiasm_data::arrays::write_npz;
use chiasm_data::datasets::test_data;
use chiasm_lab::{Bench, Fit, Input, Preset, Settings, Study};
use ndarray::{Array2, ArrayD};

use super::*;

fn value(bench: &Bench, name: &str) -> f64 {
    let metric = bench.record().metrics.iter().find(|m| m.name == name);
    metric.unwrap_or_else(|| panic!("{name} is missing")).value
}

#[test]
fn the_smallest_run_measures_every_claim_or_says_why_not() {
    let mut bench = Bench::in_memory(3);
    Study::run(&LinguisticCollapseStudy, &Config::smoke(), &mut bench).unwrap();
    let record = bench.record();
    for claim in LinguisticCollapseStudy.claims() {
        if record.excused.contains_key(claim.id) {
            continue;
        }
        match record.metrics.iter().find(|m| m.name == claim.metric) {
            Some(metric) => assert!(
                claim.bound.holds(metric.value),
                "{} {}",
                claim.id,
                metric.value
            ),
            None => panic!("{} is neither measured nor excused", claim.id),
        }
    }
    assert!(record.excused["table-scaling"].contains("published=false"));
    assert!(record.excused["own-cdnv"].contains("12 models"));
    assert_eq!(value(&bench, "own/models"), 8.0);
    assert_eq!(value(&bench, "own/parameter-mismatches"), 0.0);
}

/// Card 50, works when 1.
#[test]
fn the_published_table_gives_the_reference_correlations() {
    let Some(path) = test_data("tables/linguistic-collapse-2024-10-24.csv") else {
        println!("skipped: the published table is not on this machine");
        return;
    };
    let config = Config {
        shuffles: 200,
        ..Config::smoke()
    };
    let mut bench = Bench::in_memory(1);
    published::measure(&path, &config, &mut bench).unwrap();
    assert_eq!(
        (value(&bench, "scaling/rows"), value(&bench, "seeds/rows")),
        (210.0, 20.0)
    );
    let at_most = [
        ("scaling/deviation", 0.001),
        ("seeds/deviation", 0.001),
        ("parameters/mismatches", 0.0),
    ];
    for (name, most) in at_most {
        assert!(
            value(&bench, name) <= most,
            "{name} {}",
            value(&bench, name)
        );
    }
    for name in [
        "floor/simplex-margin",
        "floor/kernel-variance-margin",
        "floor/kernel-mean-margin",
    ] {
        assert!(value(&bench, name) > 0.0, "{name} {}", value(&bench, name));
    }
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let field = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    Config::preset(Preset::Paper).validate().unwrap();
    assert_eq!(field(&|c| c.shuffles = 0), "shuffles");
    assert_eq!(field(&|c| c.directions = 5), "directions");
    assert_eq!(field(&|c| c.spheres = vec![]), "spheres");
    assert_eq!(field(&|c| c.classes = 2), "classes");
    assert_eq!(field(&|c| c.features = 20), "features");
    assert_eq!(field(&|c| c.per_class = 1), "per_class");
    assert_eq!(field(&|c| c.scatter = vec![0.2, 0.1]), "scatter");
    assert_eq!(field(&|c| c.stream_classes = 1), "stream_classes");
    assert_eq!(field(&|c| c.language.bytes = 0), "language.bytes");
    assert_eq!(field(&|c| c.language.held_out = 0.0), "language.held_out");
    assert_eq!(
        field(&|c| c.language.vocabulary = 100),
        "language.vocabulary"
    );
    assert_eq!(field(&|c| c.language.span = 1), "language.span");
    assert_eq!(field(&|c| c.language.heads = 3), "language.widths");
    assert_eq!(
        field(&|c| c.language.widths = vec![8, 4]),
        "language.widths"
    );
    assert_eq!(field(&|c| c.language.blocks = vec![]), "language.blocks");
    assert_eq!(
        field(&|c| c.language.epochs = vec![3, 1]),
        "language.epochs"
    );
    assert_eq!(
        field(&|c| c.language.decays = vec![-1.0]),
        "language.decays"
    );
    assert_eq!(field(&|c| c.language.rate = 0.0), "language.rate");
    assert_eq!(field(&|c| c.language.batch = 0), "language.batch");
    assert_eq!(field(&|c| c.language.clip = 0.0), "language.clip");
    let field = |change: &dyn Fn(&mut FitConfig)| {
        let mut config = FitConfig::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(field(&|c| c.pairs.tile = 0), "pairs.tile");
    assert_eq!(field(&|c| c.min_count = 0), "min_count");
    assert_eq!(field(&|c| c.classes = Some(1)), "classes");
    assert_eq!(
        field(&|c| c.validation = Some("v.npz".into())),
        "classifier"
    );
}

#[test]
fn own_text_is_read_to_its_bytes_and_bad_ones_end_in_their_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.txt");
    let line = "the \u{e9}cole of the sea and the shore of the land\n";
    std::fs::write(&path, line.repeat(200)).unwrap();
    let language = LanguageModels {
        text: Some(path.clone()),
        bytes: 5000,
        vocabulary: 280,
        ..Config::smoke().language
    };
    let mut bench = Bench::in_memory(1);
    let tokens = corpus::load(&language, &mut bench).unwrap();
    assert_eq!(
        (tokens.name.as_str(), tokens.is_stand_in),
        ("mine.txt", false)
    );
    assert!(tokens.vocabulary > 256 && tokens.vocabulary <= 280);
    // Whole sequences, each token followed by the next one.
    assert_eq!(tokens.train.len() % 16, 0);
    for i in 1..tokens.train.len() {
        assert_eq!(tokens.train.x[[i, 0]] as usize, tokens.train.next[i - 1]);
    }
    for text in ["short", "s"] {
        std::fs::write(&path, text).unwrap();
        let error = corpus::load(&language, &mut bench)
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("mine.txt") && error.contains("more than 16 tokens"),
            "{error}"
        );
    }
}

fn fitted(config: &FitConfig, paths: &[PathBuf]) -> Result<Bench, Failure> {
    let input = Input {
        paths: paths.to_vec(),
        ..Input::default()
    };
    let mut bench = Bench::in_memory(1);
    Fit::fit(&LinguisticCollapseFit, config, &input, &mut bench)?;
    Ok(bench)
}

/// Twelve tokens on a circle, the last never seen, with so many samples from so far on.
fn tokens(n: usize, from: usize) -> (Array2<f64>, Vec<f64>) {
    let labels: Vec<usize> = (from..from + n).map(|i| (i * 7) % 11).collect();
    let x = Array2::from_shape_fn((n, 2), |(i, j)| {
        let angle = labels[i] as f64 * std::f64::consts::PI / 6.0;
        [angle.cos(), angle.sin()][j] + 0.05 * (((from + i) * 7 + j * 5) as f64).sin()
    });
    (x, labels.iter().map(|l| *l as f64).collect())
}

fn circle() -> Array2<f64> {
    Array2::from_shape_fn((12, 2), |(i, j)| {
        let angle = i as f64 * std::f64::consts::PI / 6.0;
        [angle.cos(), angle.sin()][j]
    })
}

#[test]
fn own_shards_are_measured_and_bad_ones_end_in_their_error() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, arrays: BTreeMap<String, ArrayD<f64>>| {
        let path = folder.path().join(name);
        write_npz(&DiskFiles, &path, &arrays).unwrap();
        path
    };
    let put = |name: &str, (x, labels): (Array2<f64>, Vec<f64>)| {
        let labels = ndarray::arr1(&labels).into_dyn();
        let arrays = [
            ("features".to_owned(), x.into_dyn()),
            ("labels".to_owned(), labels),
        ];
        write(name, BTreeMap::from(arrays))
    };
    let weights = write(
        "w.npz",
        BTreeMap::from([("weights".to_owned(), circle().into_dyn())]),
    );
    let shards = [put("a.npz", tokens(120, 0)), put("b.npz", tokens(180, 120))];
    let (x, mut labels) = tokens(60, 300);
    labels[0] = 11.0;
    let config = FitConfig {
        classifier: Some(weights),
        validation: Some(put("v.npz", (x, labels))),
        elsewhere: Some(put("o.npz", tokens(30, 7))),
        bins: 2,
        ..FitConfig::default()
    };
    let bench = fitted(&config, &shards).unwrap();
    let whole = put("whole.npz", {
        let ((xa, la), (xb, lb)) = (tokens(120, 0), tokens(180, 120));
        (
            ndarray::concatenate![ndarray::Axis(0), xa, xb],
            [la, lb].concat(),
        )
    });
    let one = fitted(&config, &[whole]).unwrap();
    for name in [
        "cdnv",
        "log_kern_var",
        "etf_error",
        "dual_error",
        "agreement",
        "orthogonality",
    ] {
        let (a, b) = (value(&bench, name), value(&one, name));
        assert!((a - b).abs() <= 1e-10 * b.abs(), "{name}: {a} {b}");
    }
    assert!(value(&bench, "simcos_mean") > 0.9 && value(&bench, "agreement") > 0.8);
    assert_eq!(value(&bench, "val_unseen"), 1.0);
    assert_eq!(value(&bench, "hits") + value(&bench, "misses"), 60.0);
    let record = bench.record();
    assert!(
        record
            .notes
            .iter()
            .any(|n| n.starts_with("1 of 12 classes"))
    );
    // Eleven classes and a header.
    assert_eq!(record.documents[0].text.lines().count(), 12);
    assert_eq!(record.tables.len(), 2);

    let error =
        |config: &FitConfig, path: PathBuf| fitted(config, &[path]).err().unwrap().to_string();
    let default = FitConfig::default();
    let (x, labels) = tokens(30, 0);
    let short = put("short.npz", (x.clone(), labels[..29].to_vec()));
    assert!(error(&default, short).contains("30, one for each sample"));
    let few = FitConfig {
        classes: Some(5),
        ..default.clone()
    };
    let found = error(&few, put("few.npz", (x.clone(), labels.clone())));
    assert!(
        found.contains("few.npz") && found.contains("expected a class below 5"),
        "{found}"
    );
    let mut nan = x.clone();
    nan[[7, 1]] = f64::NAN;
    assert!(error(&default, put("nan.npz", (nan, labels.clone()))).contains("row 7, column 1"));
    let same = put(
        "same.npz",
        (
            Array2::from_shape_fn((4, 2), |(i, j)| {
                [[1.0, 2.0], [1.0, 2.0], [5.0, 0.0], [0.0, 7.0]][i][j]
            }),
            vec![0.0, 1.0, 2.0, 3.0],
        ),
    );
    assert!(error(&default, same.clone()).contains("classes 0 and 1 have the same mean"));
    let mut exclude = default.clone();
    exclude.pairs.duplicates = chiasm_analysis::collapse::Duplicates::Exclude;
    let kept = fitted(&exclude, &[same]).unwrap();
    assert!(
        kept.record()
            .notes
            .iter()
            .any(|n| n.starts_with("1 pairs of classes have one mean"))
    );
    let lone = put("lone.npz", (x, vec![0.0; 30]));
    assert!(error(&default, lone).contains("classes: expected at least 2"));
    let other = FitConfig {
        classes: Some(9),
        ..config
    };
    assert!(error(&other, shards[0].clone()).contains("12, the classes of the classifier"));
}
