//! The agent on one's own outputs.

use chiasm_core::Failure;
use chiasm_data::arrays::NamedArrays;
use chiasm_data::{DataError, Place};
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings, Input};
use chiasm_net::spiking::confidence::{Calibration, Outputs};
use ndarray::{Array3, Ix3};
use rand::seq::SliceRandom;

use super::arms::measure;
use super::config::FitConfig;
use super::figures;

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    let [path] = input.paths.as_slice() else {
        let place = Place::dataset("input");
        return Err(DataError::invalid(place, "one file of outputs", input.paths.len()).into());
    };
    let file = NamedArrays::open(path)?;
    let outputs = load(&file, config)?;
    let calibration = chosen(&file, config, outputs.n_samples(), bench)?;
    let (mut ours, mut others) = (vec![], vec![]);
    for (i, is_chosen) in calibration.iter().enumerate() {
        if *is_chosen { &mut ours } else { &mut others }.push(i);
    }
    if ours.is_empty() || others.is_empty() {
        let name = config.calibration.as_deref().unwrap_or(&config.outputs);
        let expected = "samples to calibrate on and others to measure on";
        let found = format!("{} and {}", ours.len(), others.len());
        return Err(file.fault(name, None, expected, found).into());
    }
    let how = Calibration {
        smoothing: config.smoothing,
        tolerance: config.tolerance,
        ..Calibration::default()
    };
    let test = outputs.select(&others);
    let measured = measure(&outputs.select(&ours), &test, &how, config.deals, bench)?;
    for warning in &measured.calibrated.warnings {
        bench.note(warning.clone());
    }
    for (name, value, unit) in measured.numbers() {
        bench.metric(name, value, unit)?;
    }
    bench.table(Table {
        id: "front".into(),
        title: "Thresholds that no other beats on the calibration samples".into(),
        columns: ["alpha", "threshold", "latency (steps)", "accuracy"]
            .map(String::from)
            .to_vec(),
        rows: measured
            .calibrated
            .front
            .iter()
            .map(|p| {
                vec![
                    format!("{:.4}", p.alpha),
                    format!("{:.3}", p.threshold),
                    format!("{:.4}", p.latency),
                    format!("{:.5}", p.accuracy),
                ]
            })
            .collect(),
    })?;
    for figure in figures::all(&measured, &path.display().to_string(), "") {
        bench.figure(figure)?;
    }
    let (agent, score) = (measured.agent(), &measured.score);
    Ok(Findings::new(format!(
        "Divide the outputs by {:.4} and stop at a confidence of {:.3}: on {} samples that were not calibrated on, {:.2} % are told \
         after {:.2} steps in the mean, where {} steps for everyone tell {:.2} %.",
        agent.alpha,
        agent.threshold,
        others.len(),
        100.0 * score.accuracy,
        score.latency,
        score.fixed.len(),
        100.0 * measured.whole(),
    ))
    .and(format!(
        "Against the fewest steps for everyone that do as well within a tenth of a point ({}), {:.0} % of the steps are saved.",
        score.equal_steps,
        100.0 * score.saved_honestly,
    )))
}

fn load(file: &NamedArrays, config: &FitConfig) -> Result<Outputs, Failure> {
    let values = file.numbers(&config.outputs)?;
    let shape = format!("{:?}", values.shape());
    let Ok(values) = values.into_dimensionality::<Ix3>() else {
        let expected = "three axes: sample, step, class";
        return Err(file.fault(&config.outputs, None, expected, shape).into());
    };
    let values: Array3<f32> = values.mapv(|v| v as f32);
    let labels = file.vector(&config.labels)?;
    let whole = |(i, v): (usize, &f64)| {
        let is_index = *v >= 0.0 && v.fract() == 0.0 && *v < 1e9;
        is_index.then_some(*v as usize).ok_or_else(|| {
            let expected = "the index of a class, from 0";
            file.fault(&config.labels, Some(i), expected, v)
        })
    };
    let labels: Result<Vec<usize>, DataError> = labels.iter().enumerate().map(whole).collect();
    let outputs = Outputs::new(values, labels?, config.given);
    outputs.map_err(|e| Failure::from(e).about(file.path().display()))
}

/// Which samples are calibrated on.
fn chosen(
    file: &NamedArrays,
    config: &FitConfig,
    n: usize,
    bench: &Bench,
) -> Result<Vec<bool>, Failure> {
    let Some(name) = &config.calibration else {
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut bench.streams().stream("calibration"));
        let mut chosen = vec![false; n];
        for i in &order[..(config.calibration_share * n as f64).round() as usize] {
            chosen[*i] = true;
        }
        return Ok(chosen);
    };
    let mask = file.vector(name)?;
    if mask.len() == n {
        Ok(mask.iter().map(|v| *v != 0.0).collect())
    } else {
        let expected = format!("{n} values, one for each sample");
        Err(file.fault(name, None, expected, mask.len()).into())
    }
}
