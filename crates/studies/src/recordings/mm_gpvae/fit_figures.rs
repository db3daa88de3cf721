//! What is shown of own data.

use chiasm_core::Failure;
use chiasm_lab::Bench;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};
use chiasm_net::models::mm_gpvae::{Fitted, Posterior, Reconstruction};

use super::own::Binned;

pub(super) fn all(
    data: &Binned,
    fitted: &Fitted,
    posterior: &Posterior,
    test: &[usize],
    made: &Reconstruction,
    bench: &mut Bench,
) -> Result<(), Failure> {
    latents(data, fitted, posterior, bench)?;
    behavior(data, test, made, bench)?;
    let trace = &fitted.training().trace;
    let epochs: Vec<f64> = (1..=trace.len()).map(|e| e as f64).collect();
    bench.figure(
        Figure::new(
            "training",
            "Training",
            "The objective of each epoch, and the mean length scale of the latents.",
        )
        .with(
            Panel::new(
                "",
                Axis::new("epoch", "1"),
                Axis::new("bound", "nat per trial"),
            )
            .with(Mark::Line {
                series: String::new(),
                x: epochs.clone(),
                y: trace.iter().map(|e| e.bound).collect(),
            }),
        )
        .with(
            Panel::new("", Axis::new("epoch", "1"), Axis::new("length scale", "s")).with(
                Mark::Line {
                    series: String::new(),
                    x: epochs,
                    y: trace.iter().map(|e| e.length_bins * data.bin_s).collect(),
                },
            ),
        ),
    )
}

/// Every latent over the recording, with two standard deviations.
fn latents(
    data: &Binned,
    fitted: &Fitted,
    posterior: &Posterior,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let layout = fitted.latents();
    let mut figure = Figure::new(
        "latents",
        "Latents over the recording",
        "Posterior means with two standard deviations; a gap between trials. Latents are known up to an affine map.",
    );
    for p in 0..layout.total() {
        let (mut x, mut mean, mut low, mut high) = (vec![], vec![], vec![], vec![]);
        for (w, &(from, n)) in data.trials.iter().enumerate() {
            for t in 0..n {
                let m = f64::from(posterior.mean[[w, t, p]]);
                let sd = 2.0 * f64::from(posterior.variance[[w, t, p]]).sqrt();
                x.push(data.time_s(from + t));
                mean.push(m);
                low.push(m - sd);
                high.push(m + sd);
            }
            // Where the last bin ends.
            x.push(data.starts_s[from + n - 1] + data.bin_s);
            for values in [&mut mean, &mut low, &mut high] {
                values.push(f64::NAN);
            }
        }
        figure = figure.with(
            Panel::new("", Axis::new("time", "s"), Axis::new(&layout.name(p), "1"))
                .with(Mark::Band {
                    series: String::new(),
                    x: x.clone(),
                    low,
                    high,
                })
                .with(Mark::Line {
                    series: String::new(),
                    x,
                    y: mean,
                }),
        );
    }
    figure.shared_x = true;
    bench.figure(figure)
}

/// Channels in held-out trials, and what the latents make of them.
fn behavior(
    data: &Binned,
    test: &[usize],
    made: &Reconstruction,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let Some(made) = &made.behavior else {
        return Ok(());
    };
    let mut figure = Figure::new(
        "behavior",
        "Behavior in held-out trials",
        "Each channel, and the same decoded from the posterior mean of both streams. Held-out trials side by side.",
    );
    for (c, name) in data.channels.iter().enumerate().take(8) {
        let (mut x, mut truth, mut decoded) = (vec![], vec![], vec![]);
        for (i, &w) in test.iter().enumerate() {
            let (from, n) = data.trials[w];
            for t in 0..n {
                x.push(x.len() as f64);
                truth.push(f64::from(data.behavior[[from + t, c]]));
                decoded.push(f64::from(made[[i, t, c]]));
            }
            x.push(x.len() as f64);
            truth.push(f64::NAN);
            decoded.push(f64::NAN);
        }
        figure = figure.with(
            Panel::new(
                "",
                Axis::new("bin of the trials in a row", "bin"),
                Axis::new(name, "own unit"),
            )
            .with(Mark::Line {
                series: "recorded".into(),
                x: x.clone(),
                y: truth,
            })
            .with(Mark::Line {
                series: "decoded".into(),
                x,
                y: decoded,
            }),
        );
    }
    figure.shared_x = true;
    bench.figure(figure)
}
