//! One figure for each kind of mark and layout, on data made up from formulas.

use chiasm_lab::figure::{Axis, Figure, Mark, Panel};

/// A number from 0 to 1 that looks random and is the same everywhere.
fn noise(i: usize) -> f64 {
    let x = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((x ^ (x >> 29)) >> 11) as f64 / (1u64 << 53) as f64
}

fn grid(n: usize, step: f64) -> Vec<f64> {
    (0..n).map(|i| i as f64 * step).collect()
}

/// All figures of the gallery.
pub(crate) fn all() -> Vec<Figure> {
    vec![
        communities(),
        affinities(),
        selection(),
        comparison(),
        embedding(),
        recovery(),
        raster(),
        matrices(),
        categories(),
        many(),
        single_line(),
        empty(),
    ]
}

/// Strengths of communities over time above speed, sharing the time axis, with reversals shaded.
pub(crate) fn communities() -> Figure {
    let time = grid(1600, 0.5);
    let mut figure = Figure::new(
        "communities",
        "Communities over time",
        "Strength of each community (top) and speed (bottom); reversals shaded.",
    )
    .shared_x();
    let bouts: Vec<(f64, f64)> = (0..14)
        .map(|i| {
            let start = 20.0 + 55.0 * i as f64 + 20.0 * noise(i);
            (start, start + 4.0 + 14.0 * noise(i + 100))
        })
        .collect();
    let inside = |t: f64| bouts.iter().any(|(a, b)| t >= *a && t <= b + 4.0);
    for k in 0..4 {
        let y: Vec<f64> = time
            .iter()
            .enumerate()
            .map(|(i, t)| {
                let slow = (t / (31.0 + 17.0 * k as f64)).sin().abs();
                let bout = if k == 0 && inside(*t) { 1.6 } else { 0.0 };
                slow * 0.6 + bout + 0.15 * noise(i + 5000 * k)
            })
            .collect();
        figure = figure.with(
            Panel::new("", Axis::new("time", "s"), Axis::new("strength", "1"))
                .height(0.55)
                .with(Mark::Spans {
                    series: "reversal".into(),
                    spans: bouts.clone(),
                })
                .with(Mark::Line {
                    series: format!("community {}", k + 1),
                    x: time.clone(),
                    y,
                }),
        );
    }
    let speed = time
        .iter()
        .enumerate()
        .map(|(i, t)| if inside(*t) { -0.12 } else { 0.1 } + 0.05 * (noise(i) - 0.5))
        .collect();
    figure.with(
        Panel::new("", Axis::new("time", "s"), Axis::new("speed", "mm/s"))
            .height(0.7)
            .with(Mark::Spans {
                series: "reversal".into(),
                spans: bouts.clone(),
            })
            .with(Mark::HLine {
                series: String::new(),
                y: 0.0,
            })
            .with(Mark::Line {
                series: String::new(),
                x: time,
                y: speed,
            }),
    )
}

/// A large square matrix with names on both sides.
pub(crate) fn affinities() -> Figure {
    let n = 150;
    let names: Vec<String> = (0..n)
        .map(|i| format!("AV{}{}", char::from(b'A' + (i % 26) as u8), i))
        .collect();
    let values: Vec<Vec<f64>> = (0..n)
        .map(|r| {
            (0..n)
                .map(|c| {
                    let same = if r / 30 == c / 30 { 0.55 } else { 0.1 };
                    if r == c {
                        f64::NAN
                    } else {
                        same + 0.3 * noise(r.min(c) * 1000 + r.max(c))
                    }
                })
                .collect()
        })
        .collect();
    Figure::new(
        "affinities",
        "Affinities between neurons",
        "Mean affinity of each pair, sorted by community.",
    )
    .with(
        Panel::new(
            "",
            Axis::categories("neuron", names.clone()),
            Axis::categories("neuron", names),
        )
        .height(1.3)
        .with(Mark::Heatmap {
            series: "affinity (1)".into(),
            values,
            x_range: None,
            y_range: None,
            color_range: None,
            diverging: false,
        }),
    )
}

/// Error over ranks with a band, and a logarithmic axis.
pub(crate) fn selection() -> Figure {
    let ranks = grid(12, 1.0).iter().map(|r| r + 1.0).collect::<Vec<_>>();
    let error: Vec<f64> = ranks.iter().map(|r| 0.2 + 0.8 / r).collect();
    let held: Vec<f64> = ranks
        .iter()
        .map(|r| 0.3 + 0.75 / r + 0.004 * (r - 6.0).max(0.0).powi(2))
        .collect();
    Figure::new(
        "selection",
        "Choice of the number of components",
        "Error over ranks.",
    )
    .columns(2)
    .with(
        Panel::new(
            "Error",
            Axis::new("number of components", "1"),
            Axis::new("relative error", "1"),
        )
        .with(Mark::Band {
            series: "held out".into(),
            x: ranks.clone(),
            low: held.iter().map(|v| v - 0.04).collect(),
            high: held.iter().map(|v| v + 0.04).collect(),
        })
        .with(Mark::Line {
            series: "training".into(),
            x: ranks.clone(),
            y: error,
        })
        .with(Mark::Line {
            series: "held out".into(),
            x: ranks,
            y: held,
        })
        .with(Mark::HLine {
            series: "noise ceiling".into(),
            y: 0.36,
        }),
    )
    .with(
        Panel::new(
            "Convergence",
            Axis::new("sweep", "1").log(),
            Axis::new("loss", "1").log(),
        )
        .with(Mark::Line {
            series: "start 1".into(),
            x: (1..1000).map(f64::from).collect(),
            y: (1..1000)
                .map(|i| 3e-4 + 2.0 / f64::from(i).powf(1.4))
                .collect(),
        })
        .with(Mark::Line {
            series: "start 2".into(),
            x: (1..1000).map(f64::from).collect(),
            y: (1..1000).map(|i| 6e-3 + 1.0 / f64::from(i)).collect(),
        }),
    )
}

/// Grouped bars with errors, and bars of names that need room.
pub(crate) fn comparison() -> Figure {
    let names = ["worm 1", "worm 2", "worm 3", "worm 4"]
        .map(str::to_owned)
        .to_vec();
    let methods = [
        "weighted nested block model",
        "Louvain",
        "k-means on the derivatives of traces",
        "spectral",
        "chance",
    ];
    let x = grid(4, 1.0);
    let arm = |name: &str, base: f64| Mark::Bars {
        series: name.into(),
        x: x.clone(),
        y: x.iter()
            .map(|i| base + 0.1 * noise(*i as usize + name.len()))
            .collect(),
        error: x.iter().map(|i| 0.02 + 0.04 * noise(*i as usize)).collect(),
    };
    Figure::new(
        "comparison",
        "Comparison of methods",
        "Mean and standard deviation over seeds.",
    )
    .columns(2)
    .with(
        Panel::new(
            "Agreement by animal",
            Axis::categories("", names),
            Axis::new("normalized mutual information", "1").range(0.0, 1.0),
        )
        .with(arm("ours", 0.8))
        .with(arm("Louvain", 0.6))
        .with(arm("shuffled", 0.1)),
    )
    .with(
        Panel::new(
            "By method",
            Axis::categories("", methods.map(str::to_owned).to_vec()),
            Axis::new("change of log likelihood", "nat"),
        )
        .with(Mark::Bars {
            series: String::new(),
            x: grid(5, 1.0),
            y: vec![120.0, 80.0, -40.0, 12.5, -3.0],
            error: vec![10.0, 12.0, 9.0, 4.0, 1.0],
        }),
    )
}

/// Points with names, three groups.
pub(crate) fn embedding() -> Figure {
    let group = |g: usize, n: usize, at: (f64, f64)| Mark::Points {
        series: ["sensory", "inter", "motor"][g].into(),
        x: (0..n).map(|i| at.0 + 2.0 * noise(i + 100 * g)).collect(),
        y: (0..n)
            .map(|i| at.1 + 2.0 * noise(i + 100 * g + 50))
            .collect(),
        labels: (0..n)
            .map(|i| format!("{}{}", ["AS", "AI", "VB"][g], i))
            .collect(),
    };
    Figure::new("embedding", "Neurons in the plane", "Position by loading.").with(
        Panel::new(
            "",
            Axis::new("component 1", "a.u."),
            Axis::new("component 2", "a.u."),
        )
        .height(1.2)
        .with(group(0, 18, (0.0, 0.0)))
        .with(group(1, 18, (1.4, 1.2)))
        .with(group(2, 18, (2.8, -0.4))),
    )
}

/// A grid of three columns whose panels share their series.
pub(crate) fn recovery() -> Figure {
    let mut figure = Figure::new(
        "recovery",
        "Recovery of the planted truth",
        "By noise level.",
    )
    .columns(3);
    for k in 0..6 {
        let x: Vec<f64> = grid(8, 0.1);
        let mut panel = Panel::new(
            &format!("{} communities", k + 2),
            Axis::new("noise level", "1"),
            Axis::new("recovered", "%").range(0.0, 100.0),
        );
        for (a, arm) in ["ours", "without mask", "static"].iter().enumerate() {
            panel = panel.with(Mark::Line {
                series: (*arm).into(),
                x: x.clone(),
                y: x.iter()
                    .map(|v| 98.0 - (20.0 + 15.0 * a as f64) * v * (1.0 + 0.3 * k as f64))
                    .collect(),
            });
        }
        figure = figure.with(panel);
    }
    figure
}

/// Spikes of forty units, with a stimulus and a rate below.
pub(crate) fn raster() -> Figure {
    let (mut x, mut y) = (vec![], vec![]);
    for unit in 0..40 {
        let mut t = 0.0;
        let mut i = 0;
        while t < 10.0 {
            let fast = if (3.0..5.0).contains(&t) { 4.0 } else { 1.0 };
            t += (0.02 + 0.4 * noise(unit * 977 + i)) / fast;
            i += 1;
            x.push(t.min(10.0));
            y.push(unit as f64);
        }
    }
    let rate: Vec<f64> = grid(100, 0.1)
        .iter()
        .map(|t| if (3.0..5.0).contains(t) { 17.0 } else { 4.5 } + noise((*t * 10.0) as usize))
        .collect();
    Figure::new(
        "raster",
        "Spikes",
        "Spike times and mean rate; stimulus shaded.",
    )
    .shared_x()
    .with(
        Panel::new("", Axis::new("time", "s"), Axis::new("unit", "1"))
            .with(Mark::Spans {
                series: "stimulus".into(),
                spans: vec![(3.0, 5.0)],
            })
            .with(Mark::Ticks {
                series: String::new(),
                x,
                y,
            }),
    )
    .with(
        Panel::new("", Axis::new("time", "s"), Axis::new("rate", "Hz"))
            .height(0.6)
            .with(Mark::Spans {
                series: "stimulus".into(),
                spans: vec![(3.0, 5.0)],
            })
            .with(Mark::Band {
                series: "mean and s.e.m.".into(),
                x: grid(100, 0.1),
                low: rate.iter().map(|r| r - 1.2).collect(),
                high: rate.iter().map(|r| r + 1.2).collect(),
            })
            .with(Mark::Line {
                series: "mean and s.e.m.".into(),
                x: grid(100, 0.1),
                y: rate,
            }),
    )
}

/// Activity as a wide matrix over time, and small matrices side by side, one of them diverging.
pub(crate) fn matrices() -> Figure {
    let wide: Vec<Vec<f64>> = (0..150)
        .map(|r| {
            (0..800)
                .map(|c| ((c as f64 / (20.0 + r as f64)).sin() + 0.5 * noise(r * 800 + c)) * 2e-3)
                .collect()
        })
        .collect();
    let small = |diverging: bool| -> Vec<Vec<f64>> {
        (0..8)
            .map(|r| {
                (0..8)
                    .map(|c| {
                        if diverging {
                            noise(r * 8 + c) - 0.5
                        } else {
                            noise(r.min(c) * 8 + r.max(c))
                        }
                    })
                    .collect()
            })
            .collect()
    };
    let names: Vec<String> = ["AVA", "AVB", "AVE", "RIB", "RIM", "SMDV", "RIV", "URYDL"]
        .map(str::to_owned)
        .to_vec();
    let heat = |series: &str, values, x_range, diverging| Mark::Heatmap {
        series: series.into(),
        values,
        x_range,
        y_range: None,
        color_range: None,
        diverging,
    };
    Figure::new(
        "matrices",
        "Matrices",
        "Activity, distances and correlations.",
    )
    .columns(2)
    .with(
        Panel::new("Activity", Axis::new("time", "s"), Axis::new("neuron", "1")).with(heat(
            "ΔF/F (1)",
            wide,
            Some((0.0, 960.0)),
            false,
        )),
    )
    .with(
        Panel::new(
            "Dissimilarity",
            Axis::categories("", names.clone()),
            Axis::categories("", names.clone()),
        )
        .with(heat("distance (1)", small(false), None, false)),
    )
    .with(
        Panel::new(
            "Correlation",
            Axis::categories("", names.clone()),
            Axis::categories("", names),
        )
        .with(heat("correlation (1)", small(true), None, true)),
    )
    .with(
        Panel::new(
            "Loadings",
            Axis::new("component", "1"),
            Axis::new("neuron", "1"),
        )
        .with(heat(
            "loading (a.u.)",
            (0..60)
                .map(|r| {
                    (0..6)
                        .map(|c| {
                            if r / 10 == c {
                                0.8
                            } else {
                                0.1 * noise(r * 6 + c)
                            }
                        })
                        .collect()
                })
                .collect(),
            None,
            false,
        )),
    )
}

/// Points over names, with an axis of names on the left.
pub(crate) fn categories() -> Figure {
    let tests = [
        "community 1",
        "community 2",
        "community 3",
        "community 4",
        "community 5",
        "community 6",
    ];
    Figure::new(
        "categories",
        "Alignment with behavior",
        "p values of circular shifts.",
    )
    .with(
        Panel::new(
            "",
            Axis::new("family-wise p value", "1").log(),
            Axis::categories("", tests.map(str::to_owned).to_vec()),
        )
        .height(0.8)
        .with(Mark::Points {
            series: "reversal bouts".into(),
            x: vec![0.0015, 0.2, 0.9, 0.04, 0.5, 0.7],
            y: grid(6, 1.0),
            labels: vec![],
        })
        .with(Mark::Points {
            series: "reversal onsets".into(),
            x: vec![0.006, 0.6, 0.3, 0.01, 0.8, 0.95],
            y: grid(6, 1.0),
            labels: vec![],
        }),
    )
}

/// More series than colors, and long names.
pub(crate) fn many() -> Figure {
    let mut panel = Panel::new(
        "Ten sessions",
        Axis::new("time since the start of the session", "min"),
        Axis::new("cumulated reward of all trials so far", "ml"),
    );
    for k in 0..10 {
        panel = panel.with(Mark::Line {
            series: format!("session {} (a long name)", k + 1),
            x: grid(60, 1.0),
            y: grid(60, 1.0)
                .iter()
                .map(|t| (1.0 + k as f64) * 1e5 * (t / 20.0).tanh())
                .collect(),
        });
    }
    Figure::new("many", "Many series", "Ten lines.").with(panel)
}

/// One unnamed line in one panel: the plainest figure.
pub(crate) fn single_line() -> Figure {
    Figure::new("single-line", "Membrane voltage", "One cell.").with(
        Panel::new(
            "",
            Axis::new("time", "ms"),
            Axis::new("membrane voltage", "mV"),
        )
        .with(Mark::Line {
            series: String::new(),
            x: grid(5000, 0.1),
            y: (0..5000)
                .map(|i| {
                    let t = f64::from(i % 400) / 400.0;
                    if t > 0.985 {
                        30.0
                    } else {
                        -70.0 + 20.0 * (1.0 - (-3.0 * t).exp())
                    }
                })
                .collect(),
        }),
    )
}

/// Panels with nothing to show.
pub(crate) fn empty() -> Figure {
    Figure::new("empty", "Nothing", "No data.")
        .columns(2)
        .with(Panel::new(
            "No marks",
            Axis::new("time", "s"),
            Axis::new("rate", "Hz"),
        ))
        .with(
            Panel::new("All NaN", Axis::new("time", "s"), Axis::new("rate", "Hz")).with(
                Mark::Line {
                    series: "a".into(),
                    x: vec![f64::NAN; 3],
                    y: vec![1.0, f64::NAN, f64::INFINITY],
                },
            ),
        )
}
