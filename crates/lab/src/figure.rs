//! Figures: data with units plus a small description. A study says what is shown; `draw` decides how it looks, so that
//! terminal, report, web and Python show the same figure, and its data can be downloaded beside it.

mod numbers;

use serde::{Deserialize, Serialize};

/// A figure of one or more panels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Identity within the run, in kebab case: the file's name.
    pub id: String,
    /// One line above the figure.
    pub title: String,
    /// What is shown and how to read it, below the figure.
    pub caption: String,
    /// Panels, drawn from top to bottom in one column, or row by row in `columns`. Several are lettered a, b, c, ...
    pub panels: Vec<Panel>,
    /// Number of columns the panels are laid out in (1 by default).
    pub columns: usize,
    /// Whether panels above each other share their x axis (drawn once, below the last).
    pub shared_x: bool,
}

/// One pair of axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// A short title; may be empty.
    pub title: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// What is drawn, from back to front.
    pub marks: Vec<Mark>,
    /// Height relative to the other panels of its column.
    #[serde(with = "numbers::one")]
    pub height: f64,
}

/// An axis: its quantity and unit are not optional.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The quantity (`time`).
    pub label: String,
    /// Its unit (`s`); `1` for a pure number, `category` for names.
    pub unit: String,
    /// Fixed limits; from the data where `None`.
    #[serde(with = "numbers::range")]
    pub range: Option<(f64, f64)>,
    /// Names at whole positions 0, 1, ..., from the left or from the top; empty for a numeric axis.
    pub categories: Vec<String>,
    /// Logarithmic scale.
    pub log: bool,
}

/// Something drawn. `series` names it in the legend and in the data table; an empty name stays out of the legend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A line through points; NaN breaks it.
    Line {
        /// Legend name.
        series: String,
        /// Positions.
        #[serde(with = "numbers::list")]
        x: Vec<f64>,
        /// Values.
        #[serde(with = "numbers::list")]
        y: Vec<f64>,
    },
    /// Unjoined points.
    Points {
        /// Legend name.
        series: String,
        /// Positions.
        #[serde(with = "numbers::list")]
        x: Vec<f64>,
        /// Values.
        #[serde(with = "numbers::list")]
        y: Vec<f64>,
        /// A name beside each point; empty for none.
        labels: Vec<String>,
    },
    /// Bars from zero, with optional error bars. Several series at the same positions stand side by side.
    Bars {
        /// Legend name.
        series: String,
        /// Positions.
        #[serde(with = "numbers::list")]
        x: Vec<f64>,
        /// Heights.
        #[serde(with = "numbers::list")]
        y: Vec<f64>,
        /// Half-length of each error bar; empty for none.
        #[serde(with = "numbers::list")]
        error: Vec<f64>,
    },
    /// A band between two curves.
    Band {
        /// Legend name.
        series: String,
        /// Positions.
        #[serde(with = "numbers::list")]
        x: Vec<f64>,
        /// Lower edge.
        #[serde(with = "numbers::list")]
        low: Vec<f64>,
        /// Upper edge.
        #[serde(with = "numbers::list")]
        high: Vec<f64>,
    },
    /// A matrix as colors; row 0 at the top, cell centers at whole numbers or spread over `x_range` and `y_range`. A
    /// square matrix is drawn square. Other marks of the panel share its axes.
    Heatmap {
        /// What the colors mean, with unit.
        series: String,
        /// Row by row.
        #[serde(with = "numbers::rows")]
        values: Vec<Vec<f64>>,
        /// From the left edge of the first column to the right edge of the last; -0.5 to n - 0.5 where `None`.
        #[serde(with = "numbers::range")]
        x_range: Option<(f64, f64)>,
        /// From the top edge of the first row to the bottom edge of the last; -0.5 to n - 0.5 where `None`.
        #[serde(with = "numbers::range")]
        y_range: Option<(f64, f64)>,
        /// Colors from `low` to `high`; from the data where `None`.
        #[serde(with = "numbers::range")]
        color_range: Option<(f64, f64)>,
        /// Diverging colors around zero rather than sequential ones.
        diverging: bool,
    },
    /// Shaded spans of x over the whole height: epochs.
    Spans {
        /// Legend name.
        series: String,
        /// Start and end of each.
        #[serde(with = "numbers::pairs")]
        spans: Vec<(f64, f64)>,
    },
    /// A horizontal reference line, such as the paper's value or chance.
    HLine {
        /// Legend name.
        series: String,
        /// Its height.
        #[serde(with = "numbers::one")]
        y: f64,
    },
    /// A vertical reference line, such as the border between two groups.
    VLine {
        /// Legend name.
        series: String,
        /// Its position.
        #[serde(with = "numbers::one")]
        x: f64,
    },
    /// Short vertical ticks at `x` in row `y`, counted upwards: spikes, events.
    Ticks {
        /// Legend name.
        series: String,
        /// Positions.
        #[serde(with = "numbers::list")]
        x: Vec<f64>,
        /// Rows.
        #[serde(with = "numbers::list")]
        y: Vec<f64>,
    },
}

impl Axis {
    /// A numeric axis.
    #[must_use]
    pub fn new(label: &str, unit: &str) -> Self {
        Self {
            label: label.into(),
            unit: unit.into(),
            range: None,
            categories: vec![],
            log: false,
        }
    }

    /// An axis of names.
    #[must_use]
    pub fn categories(label: &str, names: Vec<String>) -> Self {
        Self {
            categories: names,
            ..Self::new(label, "category")
        }
    }

    /// The same axis with fixed limits.
    #[must_use]
    pub fn range(self, low: f64, high: f64) -> Self {
        Self {
            range: Some((low, high)),
            ..self
        }
    }

    /// The same axis on a logarithmic scale.
    #[must_use]
    pub fn log(self) -> Self {
        Self { log: true, ..self }
    }
}

impl Panel {
    /// An empty pair of axes.
    #[must_use]
    pub fn new(title: &str, x: Axis, y: Axis) -> Self {
        Self {
            title: title.into(),
            x,
            y,
            marks: vec![],
            height: 1.0,
        }
    }

    /// The same panel with one more mark, in front.
    #[must_use]
    pub fn with(mut self, mark: Mark) -> Self {
        self.marks.push(mark);
        self
    }

    /// The same panel of this relative height.
    #[must_use]
    pub fn height(self, height: f64) -> Self {
        Self { height, ..self }
    }
}

impl Figure {
    /// A figure without panels.
    #[must_use]
    pub fn new(id: &str, title: &str, caption: &str) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            caption: caption.into(),
            panels: vec![],
            columns: 1,
            shared_x: false,
        }
    }

    /// The same figure with one more panel.
    #[must_use]
    pub fn with(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }

    /// The same figure, laid out in this many columns.
    #[must_use]
    pub fn columns(self, columns: usize) -> Self {
        Self { columns, ..self }
    }

    /// The same figure with one x axis shared by the panels of each column.
    #[must_use]
    pub fn shared_x(self) -> Self {
        Self {
            shared_x: true,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_binary_keep_every_number() {
        let odd = vec![
            0.1 + 0.2,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            -0.0,
            5e-324,
            3.0,
        ];
        let figure = Figure::new("f", "t", "c").with(
            Panel::new("", Axis::new("x", "s"), Axis::new("y", "1").range(0.0, 1.0))
                .with(Mark::Line {
                    series: String::new(),
                    x: odd.clone(),
                    y: odd.clone(),
                })
                .with(Mark::Heatmap {
                    series: "v (1)".into(),
                    values: vec![odd.clone(), vec![]],
                    x_range: Some((0.0, 2.0)),
                    y_range: None,
                    color_range: None,
                    diverging: true,
                })
                .with(Mark::Spans {
                    series: "s".into(),
                    spans: vec![(0.0, f64::INFINITY)],
                })
                .with(Mark::HLine {
                    series: String::new(),
                    y: f64::NAN,
                }),
        );
        // NaN is not itself, so the text of the two is compared.
        let text = format!("{figure:?}");
        let json = serde_json::to_string(&figure).expect("JSON");
        let back: Figure = serde_json::from_str(&json).expect("reads back");
        assert_eq!(format!("{back:?}"), text);
        let bytes = postcard::to_stdvec(&figure).expect("bytes");
        let back: Figure = postcard::from_bytes(&bytes).expect("reads back");
        assert_eq!(format!("{back:?}"), text);
    }
}
