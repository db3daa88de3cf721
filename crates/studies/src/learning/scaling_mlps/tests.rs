use std::path::Path;

use chiasm_data::generate::color_textures;
use chiasm_lab::{Bench, ClaimKind, Fit, Input, Preset, Settings, Study};
use ndarray::s;

use super::*;

#[test]
fn the_smallest_run_measures_every_claim_or_says_why_not() {
    let mut bench = Bench::in_memory(3);
    Study::run(&ScalingMlpsStudy, &Config::smoke(), &mut bench).unwrap();
    let record = bench.record();
    for claim in ScalingMlpsStudy.claims() {
        let measured = record.metrics.iter().find(|m| m.name == claim.metric);
        let excused = record.excused.contains_key(claim.id);
        assert!(measured.is_some() || excused, "{}", claim.id);
        if claim.kind == ClaimKind::Exact {
            let value = measured.unwrap().value;
            assert!(claim.bound.holds(value), "{}: {value}", claim.id);
        }
    }
    // The card's bars are not for textures.
    assert!(record.excused.contains_key("accuracy-over-width"));
    assert!(record.excused.contains_key("above-linear"));
    assert!(record.notes.iter().any(|n| n.contains("drawn textures")));
    assert_eq!(record.tables[0].rows.len(), 12);
    assert!(record.figures.len() >= 6);
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let field = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(field(&|c| c.n_train = 60_000), "n_train");
    assert_eq!(field(&|c| c.batch = 0), "batch");
    assert_eq!(field(&|c| c.batch = 50_000), "batch");
    // No whole batch in the smallest share of the images.
    assert_eq!(field(&|c| c.batch = 2_500), "batch");
    assert_eq!(field(&|c| c.smoothing = 1.0), "smoothing");
    assert_eq!(
        field(&|c| c.augmentation.mixup = f64::NAN),
        "augmentation.mixup"
    );
    assert_eq!(field(&|c| c.widths.widths = vec![64]), "widths.widths");
    assert_eq!(field(&|c| c.widths.rate = 0.0), "widths.rate");
    assert_eq!(field(&|c| c.data.width = 65), "data.width");
    assert_eq!(field(&|c| c.data.shares = vec![0.5, 0.5]), "data.shares");
    assert_eq!(field(&|c| c.descent.batches = vec![256]), "descent.batches");
    assert_eq!(
        field(&|c| c.transfer.held_out = (3, 3)),
        "transfer.held_out"
    );
    assert_eq!(
        field(&|c| c.transfer.tuning_batch = 501),
        "transfer.tuning_batch"
    );
    for config in [
        Config::preset(Preset::Paper),
        Config::card(),
        Config::smoke(),
    ] {
        config.validate().unwrap();
    }
}

fn write(path: &Path, levels: &[u8], side: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, side, side);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(levels)
        .unwrap();
}

/// Images of two classes, one without blue and one without red, as `CLASS/NAME.png`.
fn folder(at: &Path, n: usize, seed: u64) {
    let images = color_textures(10 * n, &chiasm_core::Streams::new(seed)).unwrap();
    for i in 0..10 * n {
        let class = images.labels()[i];
        if !class.is_multiple_of(5) {
            continue;
        }
        let image = images.pixels().slice(s![i, .., .., ..]);
        let dark = if class == 0 { 2 } else { 0 };
        let levels: Vec<u8> = (0..32 * 32)
            .flat_map(|p| (0..3).map(move |c| (c, p / 32, p % 32)))
            .map(|(c, y, x)| if c == dark { 20 } else { image[[c, y, x]] })
            .collect();
        let name = if class == 0 { "red" } else { "blue" };
        write(&at.join(name).join(format!("{i:04}.png")), &levels, 32);
    }
}

fn fitted(config: &FitConfig, path: &Path) -> Result<Bench, Failure> {
    let input = Input {
        paths: vec![path.into()],
        ..Input::default()
    };
    let mut bench = Bench::in_memory(1);
    Fit::fit(&ScalingMlpsFit, config, &input, &mut bench)?;
    Ok(bench)
}

fn small() -> FitConfig {
    FitConfig {
        side: 16,
        depth: 1,
        widths: vec![4, 16],
        shares: vec![0.5],
        epochs: 12,
        batch: 8,
        rate: 1e-3,
        views: 2,
        ..FitConfig::default()
    }
}

#[test]
fn own_images_are_told_and_bad_folders_end_in_their_error() {
    let temp = tempfile::tempdir().unwrap();
    let own = temp.path().join("own");
    folder(&own, 40, 5);
    let value = |bench: &Bench, name: &str| {
        let metric = bench.record().metrics.iter().find(|m| m.name == name);
        metric.unwrap_or_else(|| panic!("{name} is missing")).value
    };
    let bench = fitted(&small(), &own).unwrap();
    assert!(value(&bench, "width/16/accuracy") > 80.0);
    assert!(value(&bench, "images/0.5/accuracy") > 50.0);
    assert_eq!(bench.record().figures.len(), 4);
    assert!(bench.record().notes[0].contains("kept for testing"));

    // Folders for learning and testing, in grey.
    let split = temp.path().join("split");
    folder(&split.join("train"), 20, 6);
    folder(&split.join("test"), 10, 7);
    let grey = FitConfig {
        grey: true,
        epochs: 2,
        ..small()
    };
    let bench = fitted(&grey, &split).unwrap();
    assert!(bench.record().notes.is_empty());
    assert!(value(&bench, "width/4/accuracy") >= 0.0);

    let refused = |config: &FitConfig, path: &Path| fitted(config, path).err().unwrap().to_string();
    let many = FitConfig {
        batch: 64,
        ..small()
    };
    assert!(refused(&many, &own).contains("`batch`: expected at most 32"));
    assert!(refused(&small(), &own.join("red")).contains("at least two classes"));
    let lone = temp.path().join("lone");
    folder(&lone, 4, 8);
    write(&lone.join("green").join("only.png"), &[0; 12], 2);
    assert!(refused(&small(), &lone).contains("at least two images of each class"));
    std::fs::write(lone.join("green").join("bad.jpg"), b"\xff\xd8").unwrap();
    assert!(refused(&small(), &lone).contains("bad.jpg"));
    std::fs::remove_dir_all(split.join("test").join("red")).unwrap();
    write(&split.join("test").join("green").join("1.png"), &[0; 12], 2);
    assert!(refused(&small(), &split).contains("the classes of `train`"));
    let none = Fit::fit(
        &ScalingMlpsFit,
        &small(),
        &Input::default(),
        &mut Bench::in_memory(1),
    );
    assert!(
        none.unwrap_err()
            .to_string()
            .contains("one folder of images")
    );
}
