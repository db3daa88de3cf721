//! What the networks learn from.

use std::path::Path;

use chiasm_core::Failure;
use chiasm_data::events::{SpokenWords, heidelberg_files};
use chiasm_data::generate::{OrderSample, order_task};
use chiasm_data::sound;
use chiasm_lab::Bench;
use chiasm_net::spiking::delays::{Event, Trains};
use rayon::prelude::*;

use super::config::{Heidelberg, Order, Spoken};
use crate::sounds;

/// Samples to learn from and samples to test on.
pub(super) struct Data {
    pub(super) train: Trains,
    pub(super) test: Trains,
}

pub(super) fn order(config: &Order, bench: &Bench) -> Result<Data, Failure> {
    let task = &config.task;
    let (train, test, _) = order_task(task, &bench.streams().child("order task"))?;
    let trains = |samples: &[OrderSample]| {
        let events = |s: &OrderSample| {
            let spikes = s.spikes.iter();
            spikes.map(|(t, c)| Event::new(*t, *c, 1.0)).collect()
        };
        let labels = samples.iter().map(|s| s.class).collect();
        let samples = samples.iter().map(events).collect();
        Trains::new((task.steps(), task.channels), samples, labels, task.classes)
    };
    Ok(Data {
        train: trains(&train)?,
        test: trains(&test)?,
    })
}

/// Spoken digits, and whether people spoke them.
pub(super) fn spoken(config: &Spoken, bench: &mut Bench) -> Result<(Data, bool), Failure> {
    let found = sounds::load(bench)?;
    let speech = found.is_speech();
    let (test, train): (Vec<_>, Vec<_>) =
        found.spoken.into_iter().partition(sound::Spoken::is_test);
    let trains = |part: &[sound::Spoken], most: usize| -> Result<Trains, Failure> {
        // They come by digit and speaker: evenly chosen ones are of all.
        let n = most.min(part.len());
        let part: Vec<&sound::Spoken> = (0..n).map(|i| &part[i * part.len() / n]).collect();
        let heard = part.par_iter().map(|s| {
            let steps = config.cochlea.spikes(&s.sound)?;
            let events = steps.iter().enumerate().flat_map(|(t, bands)| {
                let bands = bands.iter();
                bands.map(move |band| Event::new(t, *band as usize, 1.0))
            });
            Ok(events.collect())
        });
        let heard: Result<Vec<Vec<Event>>, Failure> = heard.collect();
        let labels = part.iter().map(|s| usize::from(s.digit)).collect();
        let shape = (config.cochlea.steps, config.cochlea.bands);
        Ok(Trains::new(shape, heard?, labels, 10)?)
    };
    let data = Data {
        train: trains(&train, config.train)?,
        test: trains(&test, config.test)?,
    };
    Ok((data, speech))
}

/// Spoken words that come as spikes, from the two files in a folder.
pub(super) fn heidelberg(config: &Heidelberg, folder: &Path) -> Result<Data, Failure> {
    let binning = &config.binning;
    let [train, test] = heidelberg_files(folder);
    let (train, test) = (SpokenWords::read(&train)?, SpokenWords::read(&test)?);
    let classes = train.classes().len().max(test.classes().len());
    let trains = |part: &SpokenWords, most: usize| -> Result<Trains, Failure> {
        let all = part.words();
        let n = most.min(all.len());
        let chosen: Vec<_> = (0..n).map(|i| &all[i * all.len() / n]).collect();
        let counted = chosen.par_iter().map(|word| {
            let counts = word.counts(binning)?;
            let event = |(step, channel, n): (u32, u32, u32)| {
                Event::new(step as usize, channel as usize, n as f32)
            };
            Ok(counts.into_iter().map(event).collect())
        });
        let counted: Result<Vec<Vec<Event>>, Failure> = counted.collect();
        let labels = chosen.iter().map(|w| w.label).collect();
        let shape = (binning.steps, binning.channels());
        Ok(Trains::new(shape, counted?, labels, classes)?)
    };
    Ok(Data {
        train: trains(&train, config.train)?,
        test: trains(&test, config.test)?,
    })
}
