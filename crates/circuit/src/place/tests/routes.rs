//! Patch normalization, pixel baselines and scores on values worked out by hand.

use super::*;

#[test]
fn patches_are_normalized_as_by_hand() {
    // One bright pixel: a 7 x 7 window that holds it has mean 100/49 and sd of about 14.1.
    let mut images = Array3::zeros((1, 16, 16));
    images[[0, 8, 8]] = 100;
    let out = patch_normalized(&images).unwrap();
    assert_eq!(out[[0, 8, 8]], 255);
    // The value of a dark pixel whose window of `n` pixels holds one of this level.
    let beside = |level: f64, n: f64| {
        let mean = level / n;
        let sd = (((n - 1.0) * mean * mean + (level - mean).powi(2)) / n).sqrt();
        (255.0 * (1.0 - mean / sd) / 2.0) as u8
    };
    assert_eq!(out[[0, 8, 9]], beside(100.0, 49.0));
    assert_eq!(out[[0, 0, 0]], 127, "nothing but one value");
    // In a corner the window is cut to 4 x 4, beside it to 4 x 5.
    let mut images = Array3::zeros((1, 16, 16));
    images[[0, 1, 1]] = 40;
    let out = patch_normalized(&images).unwrap();
    assert_eq!(out[[0, 0, 0]], beside(40.0, 16.0));
    assert_eq!(out[[0, 0, 1]], beside(40.0, 20.0));
    // Light and contrast do not matter.
    let photo = Array3::from_shape_fn((1, 12, 12), |(_, y, x)| (60 + (7 * y * x) % 50) as u8);
    let brighter = photo.mapv(|v| 2 * v - 20);
    let apart = patch_normalized(&photo)
        .unwrap()
        .iter()
        .zip(&patch_normalized(&brighter).unwrap())
        .map(|(a, b)| a.abs_diff(*b))
        .max();
    assert!(apart.is_some_and(|d| d <= 1));
}

#[test]
fn pixels_are_compared_to_the_nearest_traverse() {
    let [a, b] =
        [[10, 50], [14, 20]].map(|v| Array3::from_shape_vec((2, 1, 1), v.to_vec()).unwrap());
    let query = Array3::from_shape_vec((1, 1, 1), vec![17u8]).unwrap();
    let query = query.index_axis(Axis(0), 0);
    assert_eq!(sad(query, &[a.view(), b.view()]), [1.0 / 4.0, 1.0 / 4.0]);
    assert_eq!(nearest(query, &[a.view()]), [1.0 / 50.0, 1.0 / 1090.0]);
    assert!(sad(query, &[]).is_empty());
}

#[test]
fn scores_are_those_worked_out_by_hand() {
    let responses = vec![
        vec![0.0, 3.0, 1.0],
        vec![2.0, 2.0, 0.0],
        vec![0.0, 0.0, 0.0],
        vec![1.0, 0.0, 0.5],
    ];
    let truth = [1, 1, 2, 2];
    assert_eq!(best_place(&responses[1]), Some(0), "the first of equals");
    assert_eq!(best_place(&responses[2]), None);
    assert_eq!(best_place(&[f64::NAN, 1.0]), Some(1));
    let recall: Vec<f64> = (1..=3).map(|n| recall_at(&responses, &truth, n)).collect();
    // A place without a response is never found, not even among three.
    assert_eq!(recall, [0.25, 0.75, 0.75]);
    let curve = precision_recall(&responses, &truth);
    assert_eq!(curve.threshold, [3.0, 2.0, 1.0]);
    assert_eq!(curve.precision, [1.0, 0.5, 1.0 / 3.0]);
    assert_eq!(curve.recall, [1.0 / 4.0, 1.0 / 3.0, 1.0 / 2.0]);
    assert_eq!(recall_at(&[], &[], 1), 0.0);
}
