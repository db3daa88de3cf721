//! The data of a figure as one long table, for download beside it.

use crate::figure::{Axis, Figure, Mark, Panel};

/// Rows of the table, each value beside the number of its column.
type Row = Vec<(usize, String)>;

/// Columns, in the order of their first use.
#[derive(Default)]
struct Columns(Vec<String>);

impl Columns {
    fn index(&mut self, name: &str) -> usize {
        self.0.iter().position(|n| n == name).unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        })
    }
}

/// The data of a figure as CSV, one row for each point, bar, cell, span or event. Columns: `panel` (number and title),
/// `mark`, `series`, `name` (of a point), then one for each quantity with its unit (`x: time (s)`, `y: rate (Hz)`,
/// `low: ...`, `high: ...`, `error: ...`, `end: ...`, `color: ...`). Cells that a row has no value for are empty;
/// missing values are `NaN`. Numbers are written with as many digits as give the same `f64` back.
#[must_use]
pub fn data_csv(figure: &Figure) -> String {
    let mut columns = Columns(
        ["panel", "mark", "series", "name"]
            .map(str::to_owned)
            .to_vec(),
    );
    let mut rows: Vec<Row> = vec![];
    for (i, panel) in figure.panels.iter().enumerate() {
        let title = format!("{} {}", i + 1, panel.title);
        for mark in &panel.marks {
            let first = rows.len();
            add(mark, panel, &mut columns, &mut rows);
            for row in &mut rows[first..] {
                row.push((0, title.trim_end().to_owned()));
            }
        }
    }
    let mut writer = csv::Writer::from_writer(vec![]);
    // Writing to memory cannot fail, and all rows have the header's length.
    let _ = writer.write_record(&columns.0);
    let mut record = vec![String::new(); columns.0.len()];
    for row in rows {
        record.iter_mut().for_each(String::clear);
        for (column, value) in row {
            record[column] = value;
        }
        let _ = writer.write_record(&record);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// A column of values that belong to one axis of the panel.
type Values<'a> = (&'static str, &'a Axis, &'a [f64]);

fn add(mark: &Mark, panel: &Panel, columns: &mut Columns, rows: &mut Vec<Row>) {
    let (px, py) = (&panel.x, &panel.y);
    match mark {
        Mark::Line { series, x, y } => {
            long(
                "line",
                series,
                &[],
                &[("x", px, x), ("y", py, y)],
                columns,
                rows,
            );
        }
        Mark::Points {
            series,
            x,
            y,
            labels,
        } => {
            long(
                "points",
                series,
                labels,
                &[("x", px, x), ("y", py, y)],
                columns,
                rows,
            );
        }
        Mark::Bars {
            series,
            x,
            y,
            error,
        } => {
            let all: [Values; 3] = [("x", px, x), ("y", py, y), ("error", py, error)];
            let used = if error.is_empty() { 2 } else { 3 };
            long("bars", series, &[], &all[..used], columns, rows);
        }
        Mark::Band {
            series,
            x,
            low,
            high,
        } => {
            let all = [
                ("x", px, x.as_slice()),
                ("low", py, low),
                ("high", py, high),
            ];
            long("band", series, &[], &all, columns, rows);
        }
        Mark::Ticks { series, x, y } => {
            long(
                "ticks",
                series,
                &[],
                &[("x", px, x), ("y", py, y)],
                columns,
                rows,
            );
        }
        Mark::Spans { series, spans } => {
            let (from, to): (Vec<f64>, Vec<f64>) = spans.iter().copied().unzip();
            long(
                "spans",
                series,
                &[],
                &[("x", px, &from), ("end", px, &to)],
                columns,
                rows,
            );
        }
        Mark::VLine { series, x } => {
            long("vline", series, &[], &[("x", px, &[*x])], columns, rows);
        }
        Mark::HLine { series, y } => {
            long("hline", series, &[], &[("y", py, &[*y])], columns, rows);
        }
        Mark::Heatmap {
            series,
            values,
            x_range,
            y_range,
            ..
        } => {
            let n_columns = super::extent::n_columns(values);
            let x = columns.index(&header("x", px));
            let y = columns.index(&header("y", py));
            let color = columns.index(&format!("color: {series}"));
            let (xs, ys) = (
                centers(*x_range, n_columns),
                centers(*y_range, values.len()),
            );
            for (row, line) in values.iter().enumerate() {
                for (column, value) in line.iter().enumerate() {
                    rows.push(vec![
                        (1, "heatmap".into()),
                        (2, series.clone()),
                        (x, cell(px, xs[column])),
                        (y, cell(py, ys[row])),
                        (color, value.to_string()),
                    ]);
                }
            }
        }
    }
}

fn long(
    mark: &str,
    series: &str,
    names: &[String],
    values: &[Values],
    columns: &mut Columns,
    rows: &mut Vec<Row>,
) {
    let places: Vec<usize> = values
        .iter()
        .map(|(role, axis, _)| columns.index(&header(role, axis)))
        .collect();
    let n = values.iter().map(|(_, _, v)| v.len()).max().unwrap_or(0);
    for i in 0..n {
        let mut row = vec![(1, mark.to_owned()), (2, series.to_owned())];
        if let Some(name) = names.get(i) {
            row.push((3, name.clone()));
        }
        for ((_, axis, v), place) in values.iter().zip(&places) {
            if let Some(v) = v.get(i) {
                row.push((*place, cell(axis, *v)));
            }
        }
        rows.push(row);
    }
}

fn header(role: &str, axis: &Axis) -> String {
    let label = if axis.label.is_empty() {
        "value"
    } else {
        &axis.label
    };
    format!("{role}: {label} ({})", axis.unit)
}

/// A value on an axis: its name where the axis has one for it.
fn cell(axis: &Axis, value: f64) -> String {
    let name = (value >= 0.0 && value.fract() == 0.0).then(|| axis.categories.get(value as usize));
    name.flatten().cloned().unwrap_or_else(|| value.to_string())
}

fn centers(range: Option<(f64, f64)>, n: usize) -> Vec<f64> {
    let (from, to) = super::extent::edges(range, n);
    (0..n)
        .map(|i| from + (to - from) * (i as f64 + 0.5) / n as f64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_stands_under_its_quantity_and_unit() {
        let figure = Figure::new("f", "t", "c")
            .with(
                Panel::new("Rates", Axis::new("time", "s"), Axis::new("rate", "Hz"))
                    .with(Mark::Line {
                        series: "a, b".into(),
                        x: vec![0.5],
                        y: vec![f64::NAN],
                    })
                    .with(Mark::Spans {
                        series: "on".into(),
                        spans: vec![(0.0, 1.0)],
                    }),
            )
            .with(
                Panel::new(
                    "",
                    Axis::categories("unit", vec!["AVA".into(), "RIM".into()]),
                    Axis::new("unit", "1"),
                )
                .with(Mark::Heatmap {
                    series: "affinity (1)".into(),
                    values: vec![vec![0.1, 1.0 / 3.0]],
                    x_range: None,
                    y_range: None,
                    color_range: None,
                    diverging: false,
                }),
            );
        assert_eq!(
            data_csv(&figure),
            "panel,mark,series,name,x: time (s),y: rate (Hz),end: time (s),x: unit (category),y: unit (1),color: affinity (1)\n\
             1 Rates,line,\"a, b\",,0.5,NaN,,,,\n\
             1 Rates,spans,on,,0,,1,,,\n\
             2,heatmap,affinity (1),,,,,AVA,0,0.1\n\
             2,heatmap,affinity (1),,,,,RIM,0,0.3333333333333333\n"
        );
    }
}
