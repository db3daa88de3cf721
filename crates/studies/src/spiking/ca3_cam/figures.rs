//! What the study shows.

use chiasm_lab::Figure;
use chiasm_lab::figure::{Axis, Mark, Panel};

use super::arms::Arm;
use super::ask::Recall;
use super::limits::{Load, Spaced};

/// All populations of one run: those of the cues' lines above, those of the content's below, in the order in which a spike
/// passes through them.
pub(super) fn raster(
    id: &str,
    populations: &[&str; 10],
    sizes: &[usize; 10],
    spikes: &[Vec<(u32, u32)>; 10],
) -> Figure {
    let side = |title: &str, members: &[usize]| {
        let mut panel = Panel::new(title, Axis::new("time", "ms"), Axis::new("neuron", "1"));
        let (mut below, mut named) = (0, vec![]);
        for &i in members.iter().rev() {
            // A free row between populations.
            named.push((i, below));
            below += sizes[i] + 1;
        }
        for &(i, below) in named.iter().rev() {
            panel = panel.with(Mark::Ticks {
                series: populations[i].into(),
                x: spikes[i].iter().map(|s| f64::from(s.0)).collect(),
                y: spikes[i]
                    .iter()
                    .map(|s| below as f64 + f64::from(s.1))
                    .collect(),
            });
        }
        // As high as it has rows: both together are two panels high.
        let rows = (sizes.iter().sum::<usize>() + sizes.len()) as f64;
        panel.height(2.0 * below as f64 / rows)
    };
    let title = match id {
        "first" => "Learning, recall by cue and by content, rewriting",
        "stress" => "Every content replaced by its complement and back",
        "map" => "A map of sixteen cells, asked for the cells of a state",
        _ => "Spikes of all populations",
    };
    Figure::new(
        &format!("raster-{id}"),
        title,
        "Spikes of all populations, one row for each neuron, line 0 at the bottom of its population; populations from top to \
         bottom in the order of the legend.",
    )
    .with(side("cue lines", &[0, 4, 6, 8]))
    .with(side("content lines", &[1, 2, 3, 5, 7, 9]))
    .shared_x()
}

/// The plastic weights after a run.
pub(super) fn weights(weights: &[Vec<(u32, u32, f32)>; 2], n_cues: usize, n_bits: usize) -> Figure {
    let matrix = |of: &[(u32, u32, f32)], from_content: bool| {
        let mut values = vec![vec![0.0; n_bits]; n_cues];
        for &(s, t, w) in of {
            let (cue, bit) = if from_content { (t, s) } else { (s, t) };
            values[cue as usize][bit as usize] = f64::from(w) / 1000.0;
        }
        values
    };
    let panel = |title: &str, values| {
        Panel::new(title, Axis::new("content line", "1"), Axis::new("cue", "1")).with(
            Mark::Heatmap {
                series: "weight (nA)".into(),
                values,
                x_range: None,
                y_range: None,
                color_range: Some((0.0, 6.0)),
                diverging: false,
            },
        )
    };
    Figure::new(
        "weights",
        "Plastic weights at the end",
        "From cues to content, which recall by cue rests on, and from content to cues, which recall by content rests on. One \
         spike fires its target from about 3.4 nA on.",
    )
    .with(panel("cue to content", matrix(&weights[0], false)))
    .with(panel("content to cue", matrix(&weights[1], true)))
    .columns(2)
}

/// What each arm recalls after writing and after rewriting.
pub(super) fn arms(table: &[Arm]) -> Figure {
    let names: Vec<String> = table.iter().map(|arm| arm.name.clone()).collect();
    let x: Vec<f64> = (0..names.len()).map(|i| i as f64).collect();
    let panel = |title: &str, of: &dyn Fn(&Arm) -> Recall| {
        let bars = |series: &str, value: &dyn Fn(Recall) -> f64| Mark::Bars {
            series: series.into(),
            x: x.clone(),
            y: table.iter().map(|arm| value(of(arm))).collect(),
            error: vec![],
        };
        let y = Axis::new("recalled exactly", "1").range(0.0, 1.0);
        Panel::new(title, Axis::categories("memory", names.clone()), y)
            .with(bars("by cue", &|r| r.by_cue))
            .with(bars("by content line", &|r| r.by_content))
    };
    Figure::new(
        "arms",
        "Which part of the rule each ability rests on",
        "Random contents, then their complements under the same cues; the fraction of cues and of content lines whose answer is \
         exactly right. Willshaw's memory answers to a content line only by asking every cue.",
    )
    .with(panel("after writing", &|arm| arm.written))
    .with(panel("after rewriting", &|arm| arm.rewritten))
    .shared_x()
}

/// Recall against the number of contents, a line for each density.
pub(super) fn capacity(loads: &[Load]) -> Figure {
    let mut densities: Vec<f64> = loads.iter().map(|l| l.density).collect();
    densities.sort_by(f64::total_cmp);
    densities.dedup();
    let panel = |title: &str, value: &dyn Fn(Recall) -> f64| {
        let y = Axis::new("recalled exactly", "1").range(0.0, 1.0);
        let mut panel = Panel::new(title, Axis::new("number of contents", "1").log(), y);
        for &density in &densities {
            let of: Vec<&Load> = loads.iter().filter(|l| l.density == density).collect();
            panel = panel.with(Mark::Line {
                series: format!("density {density}"),
                x: of.iter().map(|l| l.n_cues as f64).collect(),
                y: of.iter().map(|l| value(l.recall)).collect(),
            });
        }
        panel
    };
    Figure::new(
        "capacity",
        "Recall by the number of contents and their density",
        "Fraction of cues and of content lines whose answer is exactly right, of fresh memories with random contents; density \
         is the probability of a line in a content. Lines that are drawn over each other are alike.",
    )
    .with(panel("by cue", &|r| r.by_cue))
    .with(panel("by content line", &|r| r.by_content))
    .columns(2)
}

/// Recall against the time between writings.
pub(super) fn spacing(found: &[Spaced]) -> Figure {
    let x: Vec<f64> = found.iter().map(|s| f64::from(s.spacing_ms)).collect();
    let y = Axis::new("recalled exactly", "1").range(0.0, 1.0);
    let mut panel = Panel::new("", Axis::new("time between writings", "ms"), y);
    for (series, by_cue) in [("by cue", true), ("by content line", false)] {
        let value = |r: Recall| if by_cue { r.by_cue } else { r.by_content };
        panel = panel
            .with(Mark::Band {
                series: series.into(),
                x: x.clone(),
                low: found.iter().map(|s| value(s.least)).collect(),
                high: found.iter().map(|s| value(s.most)).collect(),
            })
            .with(Mark::Line {
                series: series.into(),
                x: x.clone(),
                y: found.iter().map(|s| value(s.mean)).collect(),
            });
    }
    Figure::new(
        "spacing",
        "Writing too soon disturbs what was written before",
        "Memories of 16 random contents of 32 lines, written this far apart and asked 20 ms apart: mean and range over \
         memories.",
    )
    .with(panel)
}
