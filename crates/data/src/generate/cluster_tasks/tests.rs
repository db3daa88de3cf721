use super::*;

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-10, "{a} {b}");
}

fn cosine(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    let inner = |a: &Array2<f64>, b: &Array2<f64>| (a * b).sum();
    inner(a, b) / (inner(a, a) * inner(b, b)).sqrt()
}

#[test]
fn inputs_and_labels_agree_exactly_as_asked() {
    for labels in [1, 5] {
        for quarter in 0..=4 {
            for rank in [None, Some(5)] {
                let config = AlignedClusters {
                    labels,
                    separability: f64::from(quarter) / 4.0,
                    rank,
                    ..AlignedClusters::default()
                };
                let task = aligned_clusters(&config, &Streams::new(quarter as u64)).unwrap();
                let kernel = &task.input_kernel;
                // Both are centered, so the cosine is that of the centered kernels.
                close(cosine(kernel, &task.target_kernel()), config.alignment());
                close(kernel.diag().sum(), 32.0);
                assert!(
                    kernel
                        .sum_axis(ndarray::Axis(0))
                        .iter()
                        .all(|v| v.abs() < 1e-10)
                );
                // The inputs hold it, `inputs` times over.
                let laid = task.means.dot(&task.means.t()) / 100.0;
                assert!((&laid - kernel).iter().all(|v| v.abs() < 1e-10));
                // A kernel with two values among its eigenvalues, l1 k times and l2 r times: no other is there.
                let (k, r) = (labels as f64, config.free_rank() as f64);
                let c = config.alignment();
                let unit = c * k.sqrt() + (1.0 - c * c).sqrt() * r.sqrt();
                let (l1, l2) = (
                    32.0 * c / k.sqrt() / unit,
                    32.0 * ((1.0 - c * c) / r).sqrt() / unit,
                );
                close((kernel * kernel).sum(), k * l1 * l1 + r * l2 * l2);
                let once = kernel.dot(kernel) - kernel * (l1 + l2);
                // K (K - l1)(K - l2) = 0.
                let none = kernel.dot(&(&once + &(Array2::<f64>::eye(32) * (l1 * l2))));
                assert!(none.iter().all(|v| v.abs() < 1e-9));
            }
        }
    }
    // Without structure at s = 1 and full rank.
    let config = AlignedClusters {
        labels: 5,
        separability: 1.0,
        ..AlignedClusters::default()
    };
    let task = aligned_clusters(&config, &Streams::new(1)).unwrap();
    close(task.input_kernel[[3, 3]], 1.0);
    close(task.input_kernel[[3, 4]], -1.0 / 31.0);
    assert_eq!(
        task.labels.row(5).to_vec(),
        [false, false, true, false, true]
    );
}

#[test]
fn samples_lie_around_their_means() {
    let task = aligned_clusters(&AlignedClusters::default(), &Streams::new(3)).unwrap();
    let (inputs, clusters) = task.samples(4000, &mut Streams::new(3).stream("s"));
    let noise: Vec<f64> = inputs
        .rows()
        .into_iter()
        .zip(&clusters)
        .flat_map(|(x, &c)| (&x - &task.means.row(c)).to_vec())
        .collect();
    let variance = noise.iter().map(|v| v * v).sum::<f64>() / noise.len() as f64;
    assert!((variance - 1.0).abs() < 0.01, "{variance}");
    let spread = task.means.iter().map(|v| v * v).sum::<f64>() / task.means.len() as f64;
    close(spread, 1.0);
    assert!((0..32).all(|c| clusters.contains(&c)));
    let again = task.samples(4000, &mut Streams::new(3).stream("s"));
    assert_eq!(again, (inputs, clusters));
}

#[test]
fn xor_is_a_square_and_a_nudge() {
    for epsilon in [0.0, 0.4, 1.0] {
        let config = FourClusters {
            kind: FourKind::NudgedXor { epsilon },
            ..FourClusters::default()
        };
        let task = four_clusters(&config, &Streams::new(1)).unwrap();
        // Edges 2, of directions of length sqrt 40; the third tells the labels.
        let side = task.input_kernel[[0, 0]] - task.input_kernel[[0, 1]];
        close(side, 40.0 * (2.0 + 2.0 * epsilon * epsilon));
        let signs = task.signs();
        let along = signs.t().dot(&task.means);
        close((&along * &along).sum(), 16.0 * 40.0 * epsilon * epsilon);
        let kernel = &task.input_kernel;
        let alignment = cosine(kernel, &task.target_kernel());
        close(alignment, epsilon.powi(2) / (2.0 + epsilon.powi(4)).sqrt());
    }
    let config = FourClusters {
        kind: FourKind::Unstructured { centered: true },
        ..FourClusters::default()
    };
    let task = four_clusters(&config, &Streams::new(1)).unwrap();
    assert!(
        task.means
            .sum_axis(ndarray::Axis(0))
            .iter()
            .all(|v| v.abs() < 1e-12)
    );
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let field = |change: &dyn Fn(&mut AlignedClusters)| {
        let mut config = AlignedClusters::default();
        change(&mut config);
        config.validate().unwrap_err()
    };
    assert_eq!(field(&|c| c.clusters = 30).field, "clusters");
    assert_eq!(field(&|c| c.labels = 0).field, "labels");
    assert_eq!(field(&|c| c.labels = 31).field, "labels");
    let e = field(&|c| c.separability = 1.01);
    assert!(
        e.field == "separability" && e.expected.contains("0.1796"),
        "{e}"
    );
    assert_eq!(field(&|c| c.separability = f64::NAN).field, "separability");
    assert_eq!(field(&|c| c.rank = Some(31)).field, "rank");
    assert_eq!(field(&|c| c.rank = Some(0)).field, "rank");
    assert_eq!(field(&|c| c.inputs = 30).field, "inputs");
    assert_eq!(field(&|c| c.noise = -1.0).field, "noise");
    let four = FourClusters {
        kind: FourKind::NudgedXor { epsilon: 1.5 },
        ..FourClusters::default()
    };
    assert_eq!(four.validate().unwrap_err().field, "kind.epsilon");
}
