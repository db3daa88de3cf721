//! Which name has which color, and what the legends show.

use super::palette::SPANS;
use crate::figure::{Figure, Mark, Panel};

/// Names in the order of their first appearance in the figure, so that one name has one look in all panels.
#[derive(Debug, Default)]
pub(super) struct Names {
    series: Vec<String>,
    spans: Vec<String>,
    references: Vec<String>,
}

/// How a legend entry is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sample {
    Line,
    Point,
    Area,
    Band,
    Span,
    Reference,
    Tick,
}

/// A line of the legend.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) look: usize,
    pub(super) samples: Vec<Sample>,
}

impl Entry {
    /// What kind of look it is: a span, a reference, or else a series.
    fn group(&self) -> Sample {
        match self.samples.first() {
            Some(s @ (Sample::Span | Sample::Reference)) => *s,
            _ => Sample::Line,
        }
    }
}

/// The name of a mark, and how the legend shows it; `None` for a matrix, which has a color bar instead.
fn named(mark: &Mark) -> Option<(&str, Sample)> {
    match mark {
        Mark::Line { series, .. } => Some((series, Sample::Line)),
        Mark::Points { series, .. } => Some((series, Sample::Point)),
        Mark::Bars { series, .. } => Some((series, Sample::Area)),
        Mark::Band { series, .. } => Some((series, Sample::Band)),
        Mark::Spans { series, .. } => Some((series, Sample::Span)),
        Mark::HLine { series, .. } | Mark::VLine { series, .. } => {
            Some((series, Sample::Reference))
        }
        Mark::Ticks { series, .. } => Some((series, Sample::Tick)),
        Mark::Heatmap { .. } => None,
    }
}

impl Names {
    pub(super) fn of(figure: &Figure) -> Self {
        let mut names = Self::default();
        for mark in figure.panels.iter().flat_map(|p| &p.marks) {
            if let Some((name, sample)) = named(mark) {
                let list = match sample {
                    Sample::Span => &mut names.spans,
                    Sample::Reference => &mut names.references,
                    _ => &mut names.series,
                };
                // An unnamed span or reference is a look of its own; an unnamed series is drawn in ink.
                let unnamed_series =
                    name.is_empty() && !matches!(sample, Sample::Span | Sample::Reference);
                if !unnamed_series && !list.iter().any(|n| n == name) {
                    list.push(name.to_owned());
                }
            }
        }
        names
    }

    /// The number of this mark's look among those of its kind; `None` for an unnamed series. A span that is named like a series
    /// has its color.
    pub(super) fn look(&self, mark: &Mark) -> Option<usize> {
        let (name, sample) = named(mark)?;
        if sample == Sample::Span
            && let Some(series) = self.series.iter().position(|n| n == name)
        {
            return Some(SPANS.len() + series);
        }
        let list = match sample {
            Sample::Span => &self.spans,
            Sample::Reference => &self.references,
            _ => &self.series,
        };
        list.iter().position(|n| n == name)
    }

    /// The legend of the names that several panels have.
    pub(super) fn shared_legend(
        &self,
        panels: &[Panel],
        shown: &mut Vec<(String, Sample)>,
    ) -> Vec<Entry> {
        let mut all: Vec<(Entry, usize)> = vec![];
        for panel in panels {
            for entry in self.legend(panel, &mut vec![]) {
                match all
                    .iter_mut()
                    .find(|(e, _)| e.group() == entry.group() && e.name == entry.name)
                {
                    Some((kept, n)) => {
                        let new = entry.samples.iter().filter(|s| !kept.samples.contains(s));
                        let new: Vec<Sample> = new.copied().collect();
                        kept.samples.extend(new);
                        *n += 1;
                    }
                    None => all.push((entry, 1)),
                }
            }
        }
        all.retain(|(_, n)| *n > 1);
        shown.extend(all.iter().map(|(e, _)| (e.name.clone(), e.group())));
        all.into_iter().map(|(e, _)| e).collect()
    }

    /// The legend of a panel, without what stands in an earlier panel's legend.
    pub(super) fn legend(&self, panel: &Panel, shown: &mut Vec<(String, Sample)>) -> Vec<Entry> {
        let mut entries: Vec<Entry> = vec![];
        for mark in &panel.marks {
            let (Some((name, sample)), Some(look)) = (named(mark), self.look(mark)) else {
                continue;
            };
            let group = match sample {
                Sample::Span | Sample::Reference => sample,
                _ => Sample::Line,
            };
            if name.is_empty() || shown.iter().any(|(n, g)| n == name && *g == group) {
                continue;
            }
            let same = |e: &&mut Entry| {
                e.name == name
                    && e.samples.iter().all(|s| {
                        matches!(s, Sample::Span | Sample::Reference) == (group != Sample::Line)
                    })
            };
            match entries.iter_mut().find(same) {
                Some(entry) if !entry.samples.contains(&sample) => entry.samples.push(sample),
                Some(_) => {}
                None => entries.push(Entry {
                    name: name.to_owned(),
                    look,
                    samples: vec![sample],
                }),
            }
        }
        for entry in &mut entries {
            // Bands behind lines, points in front.
            entry.samples.sort_by_key(|s| match s {
                Sample::Band | Sample::Area | Sample::Span => 0,
                Sample::Line | Sample::Reference | Sample::Tick => 1,
                Sample::Point => 2,
            });
            shown.push((entry.name.clone(), entry.group()));
        }
        entries
    }
}
