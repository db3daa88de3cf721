//! The method on own spikes: trials with labels.

use std::collections::BTreeMap;

use chiasm_core::{Failure, SettingError};
use chiasm_data::{Counting, DataError, Place, Silent};
use chiasm_lab::{Bench, Findings, Input};
use chiasm_net::spiking::delays::{Config, Delays, Event, Trains};

use super::arms;
use super::config::FitConfig;
use super::data::Data;
use super::figures;
use super::run::{LEARNED, NONE, document, percent, record, table};

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    let (data, classes) = read(config, input, bench)?;
    let mut wanted = vec![(LEARNED.to_owned(), config.network.clone())];
    if config.without {
        let without = Config {
            delays: Delays::None,
            ..config.network.clone()
        };
        wanted.push((NONE.into(), without));
    }
    let all = arms::train_all("networks", &wanted, &data, bench)?;
    let learned = &all[0];
    for arm in &all {
        bench.metric(&format!("accuracy/{}", arm.name), arm.rounded, "1")?;
    }
    let counts = arms::by_counts(&data, bench)?;
    bench.metric("accuracy/counts", counts, "1")?;
    bench.metric("rounding/lost", learned.soft - learned.rounded, "1")?;
    table("own", "Networks", &all, bench)?;
    bench.figure(figures::accuracy("own", &all, Some(counts)))?;
    bench.figure(figures::training("own", &all))?;
    let (length, _) = config.network.kernel_length();
    bench.figure(figures::delays("own", learned, length))?;
    let frozen = learned.training.network().rounded();
    bench.document(document(&frozen.synapses()?))?;
    record("spikes", &frozen, &data.test, config.network.step_ms, bench)?;
    Ok(Findings::new(format!(
        "{} samples of {} classes ({}) were learned from, {} tested on. With delays rounded to whole steps the network tells {} of \
         them; counts alone {}.",
        data.train.n_samples(),
        classes.len(),
        classes.join(", "),
        data.test.n_samples(),
        percent(learned.rounded),
        percent(counts)
    )))
}

/// The samples, every so many-th of each class kept for testing; and the classes' names.
fn read(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<(Data, Vec<String>), Failure> {
    let counting = Counting {
        bin_s: Some(config.network.step_ms / 1000.0),
        trials: Some(config.trials.clone()),
        silent: Silent::Keep,
        min_bins: 1,
    };
    let mut samples = vec![];
    let (mut n_steps, mut n_channels) = (0, None);
    let mut silent = 0;
    for recording in input.recordings(bench)? {
        let counts = counting.counts(&recording)?;
        let found = counts.values.ncols();
        let expected = *n_channels.get_or_insert(found);
        if found != expected {
            let place = Place::dataset("units");
            return Err(DataError::invalid(place, format!("{expected} as before"), found).into());
        }
        for (rows, label) in counts.trials.iter().zip(&counts.labels) {
            if label.is_empty() {
                let place =
                    Place::dataset(format!("epochs `{}`", config.trials)).index(samples.len());
                return Err(DataError::invalid(place, "a label, the class", "none").into());
            }
            let mut events = vec![];
            for (t, row) in rows.clone().enumerate() {
                for (c, n) in counts.values.row(row).iter().enumerate() {
                    if *n > 0 {
                        events.push(Event::new(t, c, *n as f32));
                    }
                }
            }
            n_steps = n_steps.max(rows.len());
            if events.is_empty() {
                silent += 1;
            } else {
                samples.push((label.clone(), events));
            }
        }
    }
    if silent > 0 {
        bench.note(format!("{silent} trials without a spike were left out."));
    }
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for (label, _) in &samples {
        *classes.entry(label.clone()).or_default() += 1;
    }
    let names: Vec<String> = classes.keys().cloned().collect();
    let few = classes.iter().find(|(_, n)| **n < config.test_every);
    if let Some((name, n)) = few {
        let expected = format!("at most {n}, the trials of class `{name}`");
        return Err(SettingError::new("test_every", expected, config.test_every).into());
    }
    let mut seen = vec![0usize; names.len()];
    let mut parts = [(vec![], vec![]), (vec![], vec![])];
    for (label, events) in samples {
        let class = names.binary_search(&label).unwrap_or(0);
        seen[class] += 1;
        let test = usize::from(seen[class].is_multiple_of(config.test_every));
        parts[test].0.push(events);
        parts[test].1.push(class);
    }
    let shape = (n_steps, n_channels.unwrap_or(0));
    let [train, test] =
        parts.map(|(samples, labels)| Trains::new(shape, samples, labels, names.len()));
    let data = Data {
        train: train?,
        test: test?,
    };
    Ok((data, names))
}
