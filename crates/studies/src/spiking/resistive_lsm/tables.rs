//! The tables of the report.

use chiasm_core::Failure;
use chiasm_lab::Bench;
use chiasm_lab::bench::Table;

use super::run::Results;

pub(super) fn all(results: &Results<'_>, bench: &mut Bench) -> Result<(), Failure> {
    bench.table(readouts(results))?;
    bench.table(look_ups(results))?;
    bench.table(pairs(results))
}

pub(super) fn percent(x: f64) -> String {
    format!("{:.1}", 100.0 * x)
}

fn readouts(results: &Results<'_>) -> Table {
    let rows = [("images", &results.vision), ("sounds", &results.audio)];
    let rows = rows.iter().flat_map(|(modality, probes)| {
        probes.iter().map(|p| {
            vec![
                (*modality).to_owned(),
                p.name.clone(),
                percent(p.accuracy),
                percent(p.rate),
                p.n_silent.to_string(),
            ]
        })
    });
    Table {
        id: "readouts".into(),
        title: "Linear readouts of counts".into(),
        columns: [
            "modality",
            "features",
            "accuracy (%)",
            "spikes for each neuron and step (%)",
            "silent test samples",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: rows.collect(),
    }
}

fn look_ups(results: &Results<'_>) -> Table {
    let rows = results.cross.in_class.iter().map(|c| {
        let last = c.loss.last().map_or(String::new(), |l| format!("{l:.3}"));
        vec![
            c.name.clone(),
            percent(c.found.audio_to_image),
            percent(c.found.image_to_audio),
            percent(c.papers_pair.audio_to_image),
            percent(c.papers_pair.image_to_audio),
            last,
        ]
    });
    Table {
        id: "look-ups".into(),
        title: "Most similar item of the other modality, after training on digits 1 to 7".into(),
        columns: [
            "features and loss",
            "1 to 7, sound to image (%)",
            "1 to 7, image to sound (%)",
            "8 and 9, sound to image (%)",
            "8 and 9, image to sound (%)",
            "loss of the last pass (nats)",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: rows.collect(),
    }
}

fn pairs(results: &Results<'_>) -> Table {
    let rows = results.cross.held_out.iter().map(|h| {
        vec![
            format!("{} and {}", h.pair[0], h.pair[1]),
            percent(h.found.audio_to_image),
            percent(h.found.image_to_audio),
            percent(h.untrained.audio_to_image),
            percent(h.in_class.audio_to_image),
        ]
    });
    Table {
        id: "held-out-pairs".into(),
        title: "Pairs of digits held out of training".into(),
        columns: [
            "held out",
            "sound to image (%)",
            "image to sound (%)",
            "untrained, sound to image (%)",
            "the seven trained, sound to image (%)",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: rows.collect(),
    }
}
