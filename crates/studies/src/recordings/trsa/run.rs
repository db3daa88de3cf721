//! The experiment: figure-eights, generated networks under noise, published RDMs.

use chiasm_analysis::rsa::{Bootstrap, Distance, Geodesic, Thresholds, Transform, ZeroEdges, rdm};
use chiasm_core::Failure;
use chiasm_data::generate::shapes::{Shape, points};
use chiasm_data::generate::{NetworkRdms, network_rdms};
use chiasm_data::{RdmLabel, RdmRules, Rdms};
use chiasm_lab::{Bench, Findings};
use ndarray::{Array2, ArrayView1};

use super::arms::{Effort, family_names, measure};
use super::config::{Config, duplicates};
use super::noise::{known_layers, under_noise};
use super::{claims, figures, real};

const EIGHTS: [(Shape, &str); 4] = [
    (Shape::FlatEight, "flat 8"),
    (Shape::TwistEight, "twisted 8"),
    (Shape::UntangledFlatEight, "flat O"),
    (Shape::UntangledTwistEight, "twisted O"),
];

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let effort = Effort {
        grid_step: config.grid_step,
        draws: config.draws,
        bootstrap: Bootstrap {
            n_resamples: config.bootstraps,
            duplicates: duplicates(config.impute_duplicates),
            ..Bootstrap::default()
        },
    };
    let ratios = eights(config, bench)?;

    let planted = NetworkRdms {
        n_layers: config.layers,
        n_seeds: config.seeds,
        n_stimuli: config.stimuli,
        jitter: config.jitter,
        ..NetworkRdms::default()
    };
    let truth = network_rdms(&planted, bench.streams())?;
    bench.note("The network RDMs are generated with planted layers; no network was trained.");
    let outcome = measure("networks", &truth.rdms, effort, bench)?;
    for arm in &outcome.arms {
        bench.metric(&format!("accuracy/{}", arm.name), arm.accuracy, "1")?;
        if let Some(error) = arm.error {
            bench.metric(&format!("error/{}", arm.name), error, "1")?;
        }
    }
    let (l, u, best) = outcome.best();
    bench.metric("map/best", best, "1")?;
    bench.metric("map/best-l", l, "1")?;
    bench.metric("map/best-u", u, "1")?;
    let of_families = family_names().into_iter().map(|f| outcome.accuracy(f));
    let best_family = of_families.fold(0.0, f64::max);
    bench.metric(
        "accuracy/best-family-minus-raw",
        best_family - outcome.accuracy("raw"),
        "1",
    )?;

    let known = known_layers(&planted, bench)?;
    bench.metric("accuracy/rank/known-layers", known, "1")?;
    bench.note(format!(
        "The planted jitter of {} sd bounds what can be told of a generated network: rank RDMs tell {known:.2} of the \
         layers without noise if the mean RDM of each layer is known from 100 more seeds, {:.2} with those of the others here.",
        config.jitter,
        outcome.accuracy("rank"),
    ));
    let noise = under_noise("networks", "Generated networks", config, &truth.rdms, bench)?;
    bench.not_at_this_scale(
        claims::FMRI,
        "the fMRI RDMs (trans62) were not published; the human IT RDMs at hand are of one area",
    );
    let published = real::published(config, effort, bench)?;

    bench.figure(figures::transform_curve())?;
    bench.figure(figures::rdm_maps(
        "network-rdms",
        &truth.rdms,
        config.layers,
    )?)?;
    bench.figure(figures::accuracy_map(
        "networks-map",
        "Layer identification of generated networks over all thresholds",
        &outcome,
        config.grid_step,
    ))?;
    bench.figure(figures::families(
        "networks-families",
        "Layer identification of generated networks",
        &outcome,
    ))?;
    bench.figure(figures::noise(
        "networks-noise",
        "Layer identification of generated networks under noise",
        &config.noise_levels,
        &noise,
        outcome.chance,
    ))?;
    let picture = figures::pictures("networks-mds", &truth.rdms, bench)?;
    bench.figure(picture)?;
    let mut findings = Findings::new(format!(
        "Figure-eights: shapes of one topology lie {:.2} times as far apart as shapes of one geometry by rank RDM, and \
         {:.2} times by two-step geodesics: the first groups by geometry, the second by topology.",
        ratios.0, ratios.1
    ))
    .and(format!(
        "Generated networks ({} layers x {} seeds, chance {:.2}): layers are told right by raw RDM {:.2}, rank RDM {:.2}, \
         best family {best_family:.2}; the best thresholds are ({l:.2}, {u:.2}) at {best:.2}.",
        config.layers,
        config.seeds,
        outcome.chance,
        outcome.accuracy("raw"),
        outcome.accuracy("rank"),
    ));
    if let Some((rdms, outcome, noise)) = published {
        bench.figure(figures::accuracy_map(
            "alexnet-map",
            "Layer identification of AlexNet across measurement models",
            &outcome,
            config.grid_step,
        ))?;
        bench.figure(figures::families(
            "alexnet-families",
            "Layer identification of AlexNet",
            &outcome,
        ))?;
        bench.figure(figures::noise(
            "alexnet-noise",
            "Layer identification of AlexNet under noise",
            &config.noise_levels,
            &noise,
            outcome.chance,
        ))?;
        let picture = figures::pictures("alexnet-mds", &rdms, bench)?;
        bench.figure(picture)?;
        let (l, u, best) = outcome.best();
        findings = findings.and(format!(
            "Published AlexNet RDMs (5 layers x 11 measurement models): raw {:.3}, rank {:.3}, best thresholds ({l:.2}, \
             {u:.2}) at {best:.3}.",
            outcome.accuracy("raw"),
            outcome.accuracy("rank"),
        ));
    }
    Ok(findings)
}

/// Distances between the four eights under three transforms; the ratios of the rank RDM and of the geodesics.
fn eights(config: &Config, bench: &mut Bench) -> Result<(f64, f64), Failure> {
    let mut rows = Vec::new();
    for (shape, _) in EIGHTS {
        rows.extend(rdm(
            points(shape, config.shape_points)?.view(),
            &Distance::Euclidean,
        )?);
    }
    let values = Array2::from_shape_vec((4, rows.len() / 4), rows).unwrap_or_default();
    let labels = EIGHTS.map(|(_, name)| RdmLabel::new("", name)).to_vec();
    let rdms = Rdms::from_condensed(values, labels, RdmRules::default())?;
    let near = Thresholds::new(0.0, config.shape_upper)?;
    let transforms = [
        ("rank", Transform::Rank),
        ("gt", Transform::GeoTopological(near)),
        (
            "geodesic",
            Transform::Geodesic(Geodesic::TwoStep(near), ZeroEdges::Keep),
        ),
    ];
    let mut panels = Vec::new();
    let mut ratios = Vec::new();
    for (name, transform) in transforms {
        let vectors = transform.apply(&rdms)?;
        // Between shapes: (01) (02) (03) (12) (13) (23). Same topology: 01, 23. Same geometry: 02, 13.
        let d = rdm(vectors.view(), &Distance::Euclidean)?;
        let ratio = (d[0] + d[5]) / (d[1] + d[4]);
        bench.metric(&format!("eights/ratio/{name}"), ratio, "1")?;
        ratios.push(ratio);
        panels.push((name, chiasm_data::rdm::square(ArrayView1::from(&d))));
    }
    bench.figure(figures::eights(
        &panels,
        &EIGHTS.map(|(_, name)| name.to_owned()),
    ))?;
    Ok((ratios[0], ratios[2]))
}
