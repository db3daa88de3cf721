use std::path::{Path, PathBuf};

use ndarray::{Array2, array};
use proptest::prelude::*;

use super::*;

fn labels(k: usize) -> Vec<RdmLabel> {
    (0..k)
        .map(|i| RdmLabel::new(format!("s{i}"), "v1"))
        .collect()
}

fn ok() -> Array2<f64> {
    array![[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.0]]
}

fn refused(square: Array2<f64>, rules: RdmRules) -> String {
    Rdms::from_squares(&[square], labels(1), rules)
        .unwrap_err()
        .to_string()
}

#[test]
fn squares_and_condensed_vectors_are_the_same_thing() {
    let rdms = Rdms::from_squares(&[ok()], labels(1), RdmRules::default()).unwrap();
    assert_eq!(rdms.n_stimuli(), 3);
    assert_eq!(rdms.vector(0).to_vec(), [1.0, 2.0, 3.0]);
    assert_eq!(rdms.square(0), ok());
    let again = Rdms::from_condensed(array![[1.0, 2.0, 3.0]], labels(1), RdmRules::default());
    assert_eq!(again.unwrap(), rdms);
}

#[test]
fn each_bad_input_ends_in_its_error() {
    let strict = RdmRules::default();
    let wide = Array2::zeros((3, 4));
    assert_eq!(
        refused(wide, strict),
        "`rdms`, unit v1 | s0: expected a square matrix, found 3x4"
    );
    let mut lopsided = ok();
    lopsided[[0, 1]] += 2e-7;
    assert!(
        refused(lopsided.clone(), strict).contains("expected a symmetric matrix, as at (1, 0): 1")
    );
    let mut hair = ok();
    hair[[0, 1]] += 1e-9;
    Rdms::from_squares(&[hair], labels(1), strict).unwrap();
    let mut diagonal = ok();
    diagonal[[1, 1]] = 0.5;
    assert!(
        refused(diagonal, strict).contains("index 1: expected zero on the diagonal, found 0.5")
    );
    let two = array![[0.0, 1.0], [1.0, 0.0]];
    assert!(refused(two, strict).contains("at least 3 stimuli, found 2"));
    let equal = 1.0 - Array2::eye(4);
    assert!(refused(equal, strict).contains("expected distances that differ, found all 1"));
    let mut missing = ok();
    missing[[0, 2]] = f64::NAN;
    missing[[2, 0]] = f64::NAN;
    assert!(refused(missing, strict).contains("index 1: expected finite distances, found NaN"));
    let mut infinite = ok();
    infinite[[0, 2]] = f64::INFINITY;
    infinite[[2, 0]] = f64::INFINITY;
    assert!(refused(infinite, strict).contains("found inf"));
    let mut negative = ok();
    negative[[0, 1]] = -0.5;
    negative[[1, 0]] = -0.5;
    let kept = Rdms::from_squares(&[negative.clone()], labels(1), strict).unwrap();
    assert!(kept.notes()[0].contains("1 distances are below 0"));
    let rules = RdmRules {
        negative: Negative::Refuse,
        ..strict
    };
    assert!(refused(negative, rules).contains("index 0: expected no distance below 0, found -0.5"));
    let odd = Rdms::from_condensed(array![[1.0, 2.0, 3.0, 4.0]], labels(1), strict);
    assert!(odd.unwrap_err().to_string().contains("n(n-1)/2"));
    let unlabelled = Rdms::from_squares(&[ok()], labels(2), strict);
    assert!(unlabelled.unwrap_err().to_string().contains("1 labels"));
    let rules = RdmRules {
        symmetrise: true,
        ..strict
    };
    let mended = Rdms::from_squares(&[lopsided], labels(1), rules).unwrap();
    assert_eq!(mended.notes().len(), 1);
    assert!((mended.vector(0)[0] - 1.0 - 1e-7).abs() < 1e-12);
}

#[test]
fn missing_pairs_are_dropped_with_their_stimulus_or_filled_from_the_others() {
    let nan = f64::NAN;
    // Stimulus 2 of 4 was constant in the first RDM.
    let values = array![
        [1.0, nan, 3.0, nan, 5.0, nan],
        [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]
    ];
    let rules = |missing| RdmRules {
        missing,
        ..RdmRules::default()
    };
    let dropped =
        Rdms::from_condensed(values.clone(), labels(2), rules(MissingPairs::DropStimuli)).unwrap();
    assert_eq!(dropped.values(), array![[1.0, 3.0, 5.0], [6.0, 8.0, 10.0]]);
    assert!(dropped.notes()[0].contains("dropped stimuli [2]"));
    let filled = Rdms::from_condensed(values, labels(2), rules(MissingPairs::Impute)).unwrap();
    assert_eq!(filled.vector(0).to_vec(), [1.0, 7.0, 3.0, 9.0, 5.0, 11.0]);
    let all = array![[nan, 1.0, 2.0]];
    let error = Rdms::from_condensed(all, labels(1), rules(MissingPairs::Impute)).unwrap_err();
    assert!(error.to_string().contains("missing in all"));
}

#[test]
fn files_of_every_layout() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let plain = put("a.csv", "0,1,2\n1,0,3\n2,3,0\n");
    let named = put("b.csv", ",cat,dog,car\ncat,0,1,2\ndog,1,0,3\ncar,2,3,0\n");
    let labels = put("labels.csv", "region,subject\nIT,anna\nV1,anna\n");
    let how = ReadRdms {
        labels: Some(labels),
        ..ReadRdms::default()
    };
    let both = read(&[plain.clone(), named.clone()], &how).unwrap();
    assert_eq!(both.labels()[1], RdmLabel::new("anna", "V1"));
    assert_eq!(both.square(0), ok());
    let one = read(&[named], &ReadRdms::default()).unwrap();
    assert_eq!(one.stimuli(), ["cat", "dog", "car"]);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mat5/plain.mat");
    // 1x3 vectors in a struct array; in it, the first is all zero: refused by name.
    let error = read(&[golden], &ReadRdms::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("plain.mat, `rdms`, unit r0 c0: expected distances that differ"),
        "{error}"
    );
    let refuse = |path: PathBuf| read(&[path], &ReadRdms::default()).unwrap_err().to_string();
    assert!(refuse(put("c.csv", "0,1\n1\n")).contains("line 2 has 1 cells"));
    assert!(refuse(put("d.csv", "")).contains("the file is empty"));
    assert!(refuse(put("e.csv", "0,1,2\n1,0,x\n2,3,0\n")).contains("row 2, column 3"));
    assert!(refuse(put("f.txt", "0")).contains("`txt` is not supported"));
    assert!(refuse(folder.path().join("none.csv")).contains("cannot read"));
    let absent = ReadRdms {
        labels: Some(put("bad.csv", "who,region\na,b\n")),
        ..ReadRdms::default()
    };
    assert!(
        read(&[plain], &absent)
            .unwrap_err()
            .to_string()
            .contains("no `subject`")
    );
    assert!(read(&[], &ReadRdms::default()).is_err());
}

#[test]
fn arrays_as_numpy_and_rsatoolbox_save_them() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rdm");
    let one = |name: &str| read(&[golden.join(name)], &ReadRdms::default()).unwrap();
    // The same two RDMs of 4 stimuli, 1 to 6 and 7 to 12, in every file.
    let expected = array![
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        [7.0, 8.0, 9.0, 10.0, 11.0, 12.0]
    ];
    for name in [
        "squares.npy",
        "condensed.npy",
        "labelled.npz",
        "rsatoolbox.hdf5",
    ] {
        assert_eq!(one(name).values(), expected, "{name}");
    }
    for name in ["labelled.npz", "rsatoolbox.hdf5"] {
        let labels = one(name).labels().to_vec();
        assert_eq!(
            labels,
            [RdmLabel::new("a", "V1"), RdmLabel::new("b", "IT")],
            "{name}"
        );
    }
    assert_eq!(one("one.npy").vector(0).to_vec(), [1.0, 2.0, 3.0]);
    let absent = ReadRdms {
        variable: Some("none".into()),
        ..ReadRdms::default()
    };
    let error = read(&[golden.join("labelled.npz")], &absent).unwrap_err();
    assert!(error.to_string().contains("no `none`"), "{error}");
}

fn real(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let named = std::env::var_os("CHIASM_DATA").map(PathBuf::from);
    let places = named.into_iter().chain([root]);
    let found = places
        .map(|f| f.join("rsa").join(name))
        .find(|p| p.is_file());
    if found.is_none() {
        println!("skipped: {name} is neither in CHIASM_DATA nor in ../shared/data");
    }
    found
}

#[test]
fn the_published_files() {
    if let Some(path) = real("modelRDMs_A2020.mat") {
        let rdms = read(&[path], &ReadRdms::default()).unwrap();
        assert_eq!((rdms.len(), rdms.n_stimuli()), (63, 92));
        let conv = rdms.filter(|l| l.region.starts_with("conv")).unwrap();
        assert_eq!(conv.len(), 55);
        assert_eq!(conv.labels()[1], RdmLabel::new("smooth1sepFeat", "conv1"));
    }
    if let Some(path) = real("92_brainRDMs.mat") {
        let rdms = read(&[path], &ReadRdms::default()).unwrap();
        assert_eq!((rdms.len(), rdms.n_stimuli()), (8, 92));
        let subjects: Vec<&str> = rdms.labels().iter().map(|l| l.subject.as_str()).collect();
        assert_eq!(subjects, ["BE", "KO", "SN", "TI", "BE", "KO", "SN", "TI"]);
        assert_eq!(rdms.labels()[0].region, "hIT");
    }
    if let Some(path) = real("92_modelRDMs.mat") {
        let rdms = read(&[path], &ReadRdms::default()).unwrap();
        assert_eq!(
            (rdms.len(), rdms.labels()[0].region.as_str()),
            (8, "animacy")
        );
    }
    if let Some(path) = real("92_behavRDMs.mat") {
        let rdms = read(&[path], &ReadRdms::default()).unwrap();
        assert_eq!(
            (rdms.len(), rdms.labels()[15].subject.as_str()),
            (16, "subject16")
        );
    }
}

proptest! {
    #[test]
    fn square_and_back(n in 3usize..12, seed in any::<u64>()) {
        let values: Vec<f64> = (0..n_pairs(n)).map(|i| ((i as u64 + 1).wrapping_mul(seed | 1) % 1000) as f64 + i as f64 / 997.0).collect();
        let values = Array2::from_shape_vec((1, n_pairs(n)), values).unwrap();
        prop_assert_eq!(n_of_pairs(n_pairs(n)), Some(n));
        let rdms = Rdms::from_condensed(values, labels(1), RdmRules::default()).unwrap();
        let again = Rdms::from_squares(&[rdms.square(0)], labels(1), RdmRules::default()).unwrap();
        prop_assert_eq!(again, rdms);
    }
}
