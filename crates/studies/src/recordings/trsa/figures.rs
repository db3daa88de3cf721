//! What the results look like.

use chiasm_analysis::rsa::{
    Distance, Family, Geodesic, Mds, RsaError, Thresholds, Transform, ZeroEdges, procrustes, rdm,
};
use chiasm_core::Failure;
use chiasm_data::Rdms;
use chiasm_lab::Bench;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};
use ndarray::{Array2, ArrayView1};

use super::arms::Outcome;
use super::noise::Curve;

fn heatmap(series: &str, square: &Array2<f64>) -> Mark {
    Mark::Heatmap {
        series: series.into(),
        values: square.rows().into_iter().map(|r| r.to_vec()).collect(),
        x_range: None,
        y_range: None,
        color_range: None,
        diverging: false,
    }
}

/// The transforms as curves over ranks.
pub(super) fn transform_curve() -> Figure {
    let x: Vec<f64> = (0..=200).map(|i| f64::from(i) / 200.0).collect();
    let mut panel = Panel::new(
        "",
        Axis::new("rank of the distance", "1").range(0.0, 1.0),
        Axis::new("transformed distance", "1").range(0.0, 1.05),
    );
    for (l, u) in [(0.0, 1.0), (0.2, 0.8), (0.4, 0.6), (0.0, 0.2)] {
        let curve = |x: f64| ((x - l) / (u - l)).clamp(0.0, 1.0);
        panel = panel.with(Mark::Line {
            series: format!("l = {l}, u = {u}"),
            x: x.clone(),
            y: x.iter().map(|&x| curve(x)).collect(),
        });
    }
    let sigmoid = |x: &f64| 1.0 / (1.0 + (-10.0 * (x - 0.5)).exp());
    panel = panel.with(Mark::Line {
        series: "sigmoid".into(),
        x: x.clone(),
        y: x.iter().map(sigmoid).collect(),
    });
    Figure::new(
        "transform-curve",
        "Geo-topological transforms",
        "Distances are ranked and scaled to [0, 1]; what lies below l becomes 0, what lies above u becomes 1. (0, 1) keeps \
         all of the geometry's order, a narrow window keeps little more than who is near whom.",
    )
    .with(panel)
}

/// Distances between the figure-eights under each transform.
pub(super) fn eights(panels: &[(&str, Array2<f64>)], names: &[String]) -> Figure {
    let mut figure = Figure::new(
        "eights",
        "Four figure-eights: grouped by geometry or by topology",
        "Euclidean distance between the RDMs of four closed curves. The two 8s cross themselves, the two Os (untangled \
         8s) are single loops; first and third are nearly flat, second and fourth twisted. Rank RDMs put shapes of one geometry \
         near each other; two-step geodesics those of one topology.",
    )
    .columns(3);
    for (name, square) in panels {
        let title = match *name {
            "rank" => "rank RDM",
            "gt" => "geo-topological RDM",
            _ => "two-step geodesics",
        };
        let axis = || Axis::categories("shape", names.to_vec());
        figure =
            figure.with(Panel::new(title, axis(), axis()).with(heatmap("distance (1)", square)));
    }
    figure
}

/// The RDMs of the first, middle and last region of the first subject: raw, geo-topological, geodesic.
pub(super) fn rdm_maps(id: &str, rdms: &Rdms, n_regions: usize) -> Result<Figure, Failure> {
    rdm_panels(
        id,
        rdms,
        &[0, n_regions / 2, n_regions - 1],
        Thresholds::default(),
    )
}

/// RDMs at these positions: ranked, geo-topological, geodesic.
pub(super) fn rdm_panels(
    id: &str,
    rdms: &Rdms,
    idx: &[usize],
    thresholds: Thresholds,
) -> Result<Figure, Failure> {
    // With l above 0 the zero-length edges would join nearly all stimuli into one point.
    let near = Thresholds::new(0.0, thresholds.u())?;
    let transforms = [
        ("rank", Transform::Rank),
        ("GT", Transform::GeoTopological(thresholds)),
        (
            "geodesic",
            Transform::Geodesic(Geodesic::TwoStep(near), ZeroEdges::Keep),
        ),
    ];
    let mut figure = Figure::new(
        id,
        "Representational dissimilarity matrices",
        &format!(
            "Each row is an RDM, each column a transform of it: rank, geo-topological (GT, l = {}, u = {}), two-step geodesic (l = 0). Stimuli in the order of the file; dark \
             is alike.",
            thresholds.l(),
            thresholds.u()
        ),
    )
    .columns(transforms.len());
    for &i in idx {
        let row = rdms.vector(i).to_vec();
        for (name, transform) in &transforms {
            let vector = transform.vector(&row)?;
            let square = chiasm_data::rdm::square(ArrayView1::from(&vector));
            let axis = || Axis::new("stimulus", "index");
            let label = &rdms.labels()[i];
            let region = if label.region.is_empty() {
                &label.name
            } else {
                &label.region
            };
            let title = format!("{region}: {name}");
            let panel = Panel::new(&title, axis(), axis());
            figure = figure.with(panel.with(heatmap("dissimilarity (1)", &square)));
        }
    }
    Ok(figure)
}

/// Accuracy over (l, u): u upwards, l to the right.
pub(super) fn accuracy_map(id: &str, title: &str, outcome: &Outcome, step: f64) -> Figure {
    let n = (1.0 / step + 1e-9).floor() as usize;
    // Row 0 is the top: u = 1.
    let mut values = vec![vec![f64::NAN; n]; n + 1];
    let mut low = f64::INFINITY;
    for &(l, u, accuracy) in &outcome.map {
        let (i, j) = ((l / step).round() as usize, (u / step).round() as usize);
        if i < n && j <= n {
            values[n - j][i] = accuracy;
            low = low.min(accuracy);
        }
    }
    let half = step / 2.0;
    let (l, u, best) = outcome.best();
    let panel = Panel::new(
        "",
        Axis::new("lower threshold l", "1"),
        Axis::new("upper threshold u", "1"),
    )
    .with(Mark::Heatmap {
        series: "accuracy (1)".into(),
        values,
        x_range: Some((-half, (n as f64 - 0.5) * step)),
        y_range: Some((1.0 + half, -half)),
        color_range: Some((low.min(best - 0.01), best)),
        diverging: false,
    })
    .with(Mark::Points {
        series: format!("best: {best:.3}"),
        x: vec![l],
        y: vec![u],
        labels: vec![],
    });
    Figure::new(
        id,
        title,
        &format!(
            "Accuracy of leave-one-out identification for every pair of thresholds; the diagonal l = u is the step. The \
             rank RDM is the upper left corner (0, 1). Chance is {:.3}.",
            outcome.chance
        ),
    )
    .with(panel)
}

/// Accuracy of every arm with its bootstrap error.
pub(super) fn families(id: &str, title: &str, outcome: &Outcome) -> Figure {
    let names: Vec<String> = outcome.arms.iter().map(|a| a.name.clone()).collect();
    let is_family = |name: &str| Family::ALL.iter().any(|f| f.name() == name);
    let bars = |series: &str, family: bool| {
        let own: Vec<usize> = (0..names.len())
            .filter(|&i| is_family(&names[i]) == family)
            .collect();
        Mark::Bars {
            series: series.into(),
            x: own.iter().map(|&i| i as f64).collect(),
            y: own.iter().map(|&i| outcome.arms[i].accuracy).collect(),
            error: own
                .iter()
                .map(|&i| outcome.arms[i].error.unwrap_or(f64::NAN))
                .collect(),
        }
    };
    let panel = Panel::new(
        "",
        Axis::categories("transform", names.clone()),
        Axis::new("identification accuracy", "1").range(0.0, 1.05),
    )
    .with(bars("baselines", false))
    .with(bars("geo-topological families", true))
    .with(Mark::HLine {
        series: "chance".into(),
        y: outcome.chance,
    });
    Figure::new(
        id,
        title,
        "Bars: accuracy of leave-one-out identification, for a family the mean over its thresholds. Lines: bootstrap \
         standard error over stimuli and subjects, drawn together; none where an arm has no bootstrap (geodesics with imputed duplicates).",
    )
    .with(panel)
}

/// Accuracy over noise levels.
pub(super) fn noise(
    id: &str,
    title: &str,
    levels: &[f64],
    curves: &[Curve],
    chance: f64,
) -> Figure {
    let mut panel = Panel::new(
        "",
        Axis::new("noise level", "sd of the distances"),
        Axis::new("identification accuracy", "1").range(0.0, 1.05),
    );
    for curve in curves {
        panel = panel.with(Mark::Line {
            series: curve.name.clone(),
            x: levels.to_vec(),
            y: curve.accuracy.clone(),
        });
    }
    panel = panel.with(Mark::HLine {
        series: "chance".into(),
        y: chance,
    });
    Figure::new(
        id,
        title,
        "Gaussian noise is added to every distance of every RDM; training and test RDMs are noisy alike. For a family, the \
         mean over its thresholds.",
    )
    .with(panel)
}

/// All RDMs in the plane, by rank and by geo-topological RDM, the second aligned to the first.
pub(super) fn pictures(id: &str, rdms: &Rdms, bench: &Bench) -> Result<Figure, Failure> {
    let thresholds = Thresholds::default();
    let mut regions: Vec<&str> = rdms.labels().iter().map(|l| l.region.as_str()).collect();
    regions.sort_unstable();
    regions.dedup();
    let mut figure = Figure::new(
        id,
        "RDMs in the plane",
        "Each point is an RDM; points that lie near each other are alike. Multidimensional scaling (metric SMACOF) of the \
         Euclidean distances between transformed RDMs; the second picture is turned and scaled to lie on the first \
         (Procrustes). Axes have no meaning of their own.",
    )
    .columns(2);
    let mut first: Option<Array2<f64>> = None;
    for (name, transform) in [
        ("rank RDM", Transform::Rank),
        ("geo-topological RDM", Transform::GeoTopological(thresholds)),
    ] {
        let distances = rdm(transform.apply(rdms)?.view(), &Distance::Euclidean)?;
        let picture = Mds::default().fit(&distances, &bench.streams().child(name))?;
        let points = match &first {
            None => picture.points,
            Some(target) => match procrustes(&picture.points, target) {
                Ok((moved, _)) => moved,
                Err(RsaError::Constant { .. }) => picture.points,
                Err(e) => return Err(e.into()),
            },
        };
        let title = format!("{name}, stress {:.2}", picture.stress);
        let axis = |i: usize| Axis::new(&format!("dimension {i}"), "1");
        let mut panel = Panel::new(&title, axis(1), axis(2));
        for region in &regions {
            let own: Vec<usize> = (0..rdms.len())
                .filter(|&i| rdms.labels()[i].region == *region)
                .collect();
            panel = panel.with(Mark::Points {
                series: (*region).to_owned(),
                x: own.iter().map(|&i| points[[i, 0]]).collect(),
                y: own.iter().map(|&i| points[[i, 1]]).collect(),
                labels: vec![],
            });
        }
        figure = figure.with(panel);
        first.get_or_insert(points);
    }
    Ok(figure)
}

/// How alike all RDMs are to each other.
pub(super) fn similarity(matrix: &Array2<f64>, rdms: &Rdms) -> Figure {
    let names: Vec<String> = rdms.labels().iter().map(|l| l.name.clone()).collect();
    let axis = || {
        // More names than can be read become numbers.
        if names.len() <= 24 {
            Axis::categories("RDM", names.clone())
        } else {
            Axis::new("RDM", "index")
        }
    };
    Figure::new(
        "similarity",
        "Likeness of RDMs",
        "Spearman correlation between the distances of each pair of RDMs.",
    )
    .with(Panel::new("", axis(), axis()).with(Mark::Heatmap {
        series: "Spearman correlation (1)".into(),
        values: matrix.rows().into_iter().map(|r| r.to_vec()).collect(),
        x_range: None,
        y_range: None,
        color_range: Some((-1.0, 1.0)),
        diverging: true,
    }))
}
