//! CSV, wide or long (see [`super::table`]), with the rest of a recording in a JSON of the same name beside it, as
//! BIDS keeps its sidecars.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::facts::Facts;
use super::mapping::Mapping;
use super::table::{Column, Table, UNIT_NAMES, columns_of, named_by, time_column};
use crate::DataError;
use crate::recording::{Activity, Recording};

const FORMAT: &str = "CSV";

fn malformed(path: &Path, reason: impl ToString) -> DataError {
    DataError::Malformed {
        path: path.to_path_buf(),
        format: FORMAT,
        reason: reason.to_string(),
    }
}

/// All rows of a CSV file, the header among them; cells are trimmed.
pub(crate) fn rows(path: &Path) -> Result<Vec<Vec<String>>, DataError> {
    let failed = |e: csv::Error| match e.into_kind() {
        csv::ErrorKind::Io(source) => DataError::Io {
            path: path.to_path_buf(),
            action: "read",
            source,
        },
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let line = pos.map_or(0, |p| p.line());
            DataError::Malformed {
                path: path.to_path_buf(),
                format: "CSV",
                reason: format!("line {line} has {len} cells, the first has {expected_len}"),
            }
        }
        csv::ErrorKind::Utf8 { pos, err } => DataError::Malformed {
            path: path.to_path_buf(),
            format: "CSV",
            reason: format!("line {}: {err}", pos.map_or(0, |p| p.line())),
        },
        other => DataError::Malformed {
            path: path.to_path_buf(),
            format: "CSV",
            reason: format!("{other:?}"),
        },
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(failed)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        rows.push(record.iter().map(str::to_owned).collect());
    }
    Ok(rows)
}

/// Where the facts beside a CSV stand.
pub(crate) fn sidecar(path: &Path) -> PathBuf {
    path.with_extension("json")
}

/// The table that `input` holds, read row by row. Rows at times outside `span_s` are not kept, unless a mapping says
/// what the times are.
pub(crate) fn table(
    path: &Path,
    mut input: impl BufRead,
    sidecar: Option<&[u8]>,
    map: Option<&Mapping>,
    span_s: Option<(f64, f64)>,
) -> Result<Table, DataError> {
    let io = |source| DataError::Io {
        path: path.to_path_buf(),
        action: "read",
        source,
    };
    const MARK: &[u8] = b"\xef\xbb\xbf";
    if input.fill_buf().map_err(io)?.starts_with(MARK) {
        input.consume(MARK.len());
    }
    let delimiter = delimiter(input.fill_buf().map_err(io)?);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .comment(Some(b'#'))
        .from_reader(input);
    let header: Vec<String> = reader
        .headers()
        .map_err(|e| malformed(path, e))?
        .iter()
        .map(str::to_owned)
        .collect();
    if header.iter().all(String::is_empty) {
        return Err(malformed(path, "there is no header"));
    }
    for (i, name) in header.iter().enumerate() {
        if header[..i].contains(name) && header.len() < 4096 {
            return Err(malformed(path, format!("two columns are called `{name}`")));
        }
    }
    let is_text = |name: &String| {
        UNIT_NAMES
            .iter()
            .any(|n| name.trim().eq_ignore_ascii_case(n))
            && map.is_none_or(|m| m.spike_units.as_ref() != Some(name))
    };
    let mut columns: Vec<(String, Column)> = header
        .iter()
        .map(|name| {
            let column = if is_text(name) && header.len() <= 3 {
                Column::Texts(Vec::new())
            } else {
                Column::Numbers(Vec::new(), None)
            };
            (name.clone(), column)
        })
        .collect();
    let time = span_s
        .filter(|_| map.is_none())
        .and_then(|span| Some((time_column(&header)?, span)));
    let mut record = csv::StringRecord::new();
    let mut rows = 0..;
    while reader.read_record(&mut record).map_err(|e| {
        let reason = e.to_string();
        match e.into_kind() {
            csv::ErrorKind::Io(source) => io(source),
            _ => malformed(path, reason),
        }
    })? {
        let row = rows.next().unwrap_or_default();
        if let Some((time, (start, stop))) = time
            && record
                .get(time)
                .and_then(number)
                .is_some_and(|t| t < start || t > stop)
        {
            continue;
        }
        for ((_, column), cell) in columns.iter_mut().zip(record.iter()) {
            match column {
                Column::Texts(texts) => texts.push(cell.to_owned()),
                Column::Numbers(values, fault) => {
                    let value = number(cell);
                    if value.is_none() && fault.is_none() {
                        *fault = Some((row, cell.chars().take(40).collect()));
                    }
                    values.push(value.unwrap_or(f64::NAN));
                }
            }
        }
    }
    let facts = match sidecar {
        Some(json) => {
            Facts::parse(json).map_err(|reason| malformed(&self::sidecar(path), reason))?
        }
        None => None,
    };
    Ok(Table {
        path: path.to_path_buf(),
        columns,
        facts,
        named: map.map(named_by).unwrap_or_default(),
    })
}

/// A cell as a number: NaN where it is empty or says so, `None` where it is something else.
fn number(cell: &str) -> Option<f64> {
    let cell = cell.trim();
    match cell {
        "" | "NaN" | "nan" | "NA" | "N/A" | "null" => Some(f64::NAN),
        _ => cell.parse().ok(),
    }
}

/// The first comma, tab or semicolon of the header that is not within quotes; the comma if there is none.
fn delimiter(bytes: &[u8]) -> u8 {
    let header = bytes
        .split(|&b| b == b'\n')
        .find(|line| !line.starts_with(b"#"))
        .unwrap_or_default();
    let mut quoted = false;
    for &b in header {
        match b {
            b'"' => quoted = !quoted,
            b',' | b'\t' | b';' if !quoted => return b,
            _ => {}
        }
    }
    b','
}

/// The recording as CSV, and the JSON to go beside it.
pub(crate) fn encode(recording: &Recording, tab: bool) -> Result<(Vec<u8>, Vec<u8>), String> {
    let (facts, channels) = Facts::of(recording);
    let columns = columns_of(recording, &channels)?;
    let n_units = match recording.activity() {
        Activity::Traces(t) => t.values.ncols(),
        Activity::Spikes(_) => 0,
    };
    let mut writer = csv::WriterBuilder::new()
        .delimiter(if tab { b'\t' } else { b',' })
        .from_writer(Vec::new());
    let failed = |e: csv::Error| e.to_string();
    if columns.iter().any(|(n, _)| n.starts_with('#')) {
        return Err("an id that begins with #".into());
    }
    writer
        .write_record(columns.iter().map(|(n, _)| n.as_str()))
        .map_err(failed)?;
    let rows = columns.first().map_or(0, |(_, c)| c.len());
    for row in 0..rows {
        for (i, (_, column)) in columns.iter().enumerate() {
            let cell = match column {
                Column::Texts(t) => t[row].clone(),
                Column::Numbers(v, _) if (1..=n_units).contains(&i) => single(v[row]),
                Column::Numbers(v, _) => double(v[row]),
            };
            writer.write_field(cell).map_err(failed)?;
        }
        writer.write_record(None::<&[u8]>).map_err(failed)?;
    }
    let table = writer.into_inner().map_err(|e| e.to_string())?;
    let facts = serde_json::to_vec_pretty(&facts).map_err(|e| e.to_string())?;
    Ok((table, facts))
}

/// The shortest text that reads back as this number.
fn double(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else {
        format!("{value:?}")
    }
}

/// The shortest text that reads back, through double precision, as this single-precision number.
fn single(value: f64) -> String {
    let short = format!("{:?}", value as f32);
    match short.parse::<f64>() {
        Ok(back) if !value.is_nan() && (back as f32).to_bits() == (value as f32).to_bits() => short,
        _ => double(value),
    }
}
