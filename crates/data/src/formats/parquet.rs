//! Parquet, wide or long (see [`super::table`]), with the rest of a recording as JSON under the key `chiasm` of its
//! footer. Flat columns of numbers and strings; uncompressed and Snappy.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, FloatType};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, KeyValue};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::facts::Facts;
use super::mapping::Mapping;
use super::table::{Column, Table, columns_of, named_by, time_column};
use super::thrift;
use crate::DataError;
use crate::recording::{Activity, Recording};

const FORMAT: &str = "Parquet";
/// The footer's key for the facts.
const KEY: &str = "chiasm";
/// More rows than this cannot be meant.
const MAX_ROWS: i64 = 1 << 33;

/// The table in `source`, read by position, a column of a row group at a time; `again` is the same file once more. Rows at
/// times outside `span_s` are not kept, unless a mapping says what the times are. The parser is not ours and the bytes
/// may be hostile, so a panic in it is fenced off and becomes an error about the file.
pub(crate) fn table<S: ChunkReader + 'static>(
    path: &Path,
    source: S,
    again: S,
    map: Option<&Mapping>,
    span_s: Option<(f64, f64)>,
) -> Result<Table, DataError> {
    let malformed = |reason: String| DataError::Malformed {
        path: path.to_path_buf(),
        format: FORMAT,
        reason,
    };
    let span_s = span_s.filter(|_| map.is_none());
    let read = catch_unwind(AssertUnwindSafe(|| columns(source, &again, span_s)))
        .map_err(|_| malformed("its structure is damaged".into()))?;
    let (columns, json) = read.map_err(|error| match error {
        ParquetError::NYI(what) => DataError::Unsupported {
            path: path.to_path_buf(),
            format: FORMAT,
            what,
            help: Some("write it with compression=\"snappy\" and flat columns".into()),
        },
        other => malformed(other.to_string()),
    })?;
    let facts = match json {
        Some(json) => Facts::parse(json.as_bytes()).map_err(malformed)?,
        None => None,
    };
    Ok(Table {
        path: path.to_path_buf(),
        columns,
        facts,
        named: map.map(named_by).unwrap_or_default(),
    })
}

type Read = (Vec<(String, Column)>, Option<String>);

fn columns<S: ChunkReader + 'static>(
    source: S,
    again: &S,
    span_s: Option<(f64, f64)>,
) -> Result<Read, ParquetError> {
    check_footer(again)?;
    let reader = SerializedFileReader::new(source)?;
    let meta = reader.metadata();
    let json = meta
        .file_metadata()
        .key_value_metadata()
        .and_then(|pairs| pairs.iter().find(|p| p.key == KEY))
        .and_then(|p| p.value.clone());
    let schema = meta.file_metadata().schema_descr();
    let names: Vec<String> = schema.columns().iter().map(|d| d.path().string()).collect();
    // Which rows are kept, told by the times, which are read first.
    let kept = match (span_s, time_column(&names)) {
        (Some((start, stop)), Some(time)) => match column(&reader, again, time, None)? {
            Column::Numbers(times, _) => Some(
                times
                    .iter()
                    .map(|&t| !(t < start || t > stop))
                    .collect::<Vec<bool>>(),
            ),
            Column::Texts(_) => None,
        },
        _ => None,
    };
    let mut columns = Vec::new();
    for (i, name) in names.into_iter().enumerate() {
        if name != "__index_level_0__" {
            columns.push((name, column(&reader, again, i, kept.as_deref())?));
        }
    }
    let rows = columns.first().map_or(0, |(_, c)| c.len());
    if let Some((name, column)) = columns.iter().find(|(_, c)| c.len() != rows) {
        let found = column.len();
        return Err(ParquetError::General(format!(
            "column `{name}` has {found} rows instead of {rows}"
        )));
    }
    Ok((columns, json))
}

/// The `i`-th column, of the rows that are kept.
fn column<S: ChunkReader + 'static>(
    reader: &SerializedFileReader<S>,
    again: &S,
    i: usize,
    kept: Option<&[bool]>,
) -> Result<Column, ParquetError> {
    let descr = reader.metadata().file_metadata().schema_descr().column(i);
    let name = descr.path().string();
    if descr.max_rep_level() > 0 || descr.max_def_level() > 1 {
        return Err(ParquetError::NYI(format!("the nested column `{name}`")));
    }
    let mut numbers = Vec::new();
    let mut texts = Vec::new();
    let mut row = 0;
    let mut wanted = || {
        row += 1;
        kept.is_none_or(|k| k.get(row - 1) != Some(&false))
    };
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group)?;
        check_pages(again, group.metadata().column(i))?;
        let rows = group.metadata().num_rows();
        // Run-length pages pack well, but not a million to one.
        let most = (again.len() as i64).saturating_mul(1 << 20);
        if !(0..=MAX_ROWS.min(most)).contains(&rows) {
            return Err(ParquetError::General(format!("a row group of {rows} rows")));
        }
        let nullable = descr.max_def_level() == 1;
        let mut put = |v: Option<f64>| {
            if wanted() {
                numbers.push(v.unwrap_or(f64::NAN));
            }
        };
        match group.get_column_reader(i)? {
            ColumnReader::BoolColumnReader(r) => each(r, rows, nullable, |v| {
                put(v.map(|v| f64::from(u8::from(v))));
            })?,
            ColumnReader::Int32ColumnReader(r) => {
                each(r, rows, nullable, |v| put(v.map(f64::from)))?;
            }
            ColumnReader::Int64ColumnReader(r) => {
                each(r, rows, nullable, |v| put(v.map(|v| v as f64)))?;
            }
            ColumnReader::FloatColumnReader(r) => {
                each(r, rows, nullable, |v| put(v.map(f64::from)))?;
            }
            ColumnReader::DoubleColumnReader(r) => each(r, rows, nullable, put)?,
            ColumnReader::ByteArrayColumnReader(r) => {
                each(r, rows, nullable, |v: Option<ByteArray>| {
                    if wanted() {
                        let text = v.map(|v| String::from_utf8_lossy(v.data()).into_owned());
                        texts.push(text.unwrap_or_default());
                    }
                })?;
            }
            _ => return Err(ParquetError::NYI(format!("the type of column `{name}`"))),
        }
    }
    Ok(if descr.physical_type() == Physical::BYTE_ARRAY {
        Column::Texts(texts)
    } else {
        Column::Numbers(numbers, None)
    })
}

/// The length of the footer's structure stands in 4 bytes before the magic at the end of the file.
fn check_footer(source: &impl ChunkReader) -> Result<(), ParquetError> {
    const TAIL: usize = 8;
    // What is too short for one, or encrypted, is left to the parser, which says so.
    let Some(end) = source.len().checked_sub(TAIL as u64) else {
        return Ok(());
    };
    let tail = source.get_bytes(end, TAIL)?;
    let length = u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]);
    if let Some(start) = end.checked_sub(length.into())
        && tail.ends_with(b"PAR1")
    {
        let footer = source.get_bytes(start, length as usize)?;
        thrift::structure(&footer, 0).map_err(ParquetError::General)?;
    }
    Ok(())
}

/// Each page is a header and as many bytes as that says.
fn check_pages(
    source: &impl ChunkReader,
    column: &ColumnChunkMetaData,
) -> Result<(), ParquetError> {
    /// `PageHeader.compressed_page_size`.
    const SIZE: i16 = 3;
    let (start, length) = column.byte_range();
    if start
        .checked_add(length)
        .is_none_or(|end| end > source.len())
    {
        return Err(ParquetError::EOF(
            "a column beyond the end of the file".into(),
        ));
    }
    let pages = source.get_bytes(start, usize::try_from(length).unwrap_or(usize::MAX))?;
    let mut rest = &pages[..];
    while !rest.is_empty() {
        let (header, size) = thrift::structure(rest, SIZE).map_err(ParquetError::General)?;
        let page = size.and_then(|s| usize::try_from(s).ok()).unwrap_or(0);
        rest = rest.get(header.saturating_add(page)..).unwrap_or(&[]);
    }
    Ok(())
}

/// Hands every value of a column to `put`, `None` where it is null.
fn each<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: i64,
    nullable: bool,
    mut put: impl FnMut(Option<T::T>),
) -> Result<(), ParquetError> {
    const BATCH: usize = 1 << 16;
    let mut left = rows as usize;
    while left > 0 {
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let defined = nullable.then_some(&mut levels);
        let (records, ..) = reader.read_records(left.min(BATCH), defined, None, &mut values)?;
        if records == 0 {
            return Err(ParquetError::EOF("fewer rows than promised".into()));
        }
        let mut values = values.into_iter();
        if nullable {
            for level in levels {
                put(if level == 1 { values.next() } else { None });
            }
        } else {
            values.by_ref().for_each(|v| put(Some(v)));
        }
        left = left.saturating_sub(records);
    }
    Ok(())
}

/// The recording as the bytes of a Parquet file; [`table`] reads it back unchanged.
pub(crate) fn encode(recording: &Recording) -> Result<Vec<u8>, String> {
    let (facts, channels) = Facts::of(recording);
    let columns = columns_of(recording, &channels)?;
    let n_units = match recording.activity() {
        Activity::Traces(t) => t.values.ncols(),
        Activity::Spikes(_) => 0,
    };
    write(&columns, n_units, &facts).map_err(|e| e.to_string())
}

fn write(
    columns: &[(String, Column)],
    n_units: usize,
    facts: &Facts,
) -> Result<Vec<u8>, ParquetError> {
    // Traces stay in single precision; times and channels in double.
    let is_single = |i: usize| (1..=n_units).contains(&i);
    let field = |(i, (name, column)): (usize, &(String, Column))| {
        let (physical, logical) = match column {
            Column::Texts(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Column::Numbers(..) if is_single(i) => (Physical::FLOAT, None),
            Column::Numbers(..) => (Physical::DOUBLE, None),
        };
        Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    };
    let fields = columns
        .iter()
        .enumerate()
        .map(field)
        .collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder("recording")
        .with_fields(fields)
        .build()?;
    let json = serde_json::to_string(facts).map_err(|e| ParquetError::General(e.to_string()))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(vec![KeyValue::new(KEY.to_owned(), json)]))
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let mut i = 0;
    while let Some(mut out) = group.next_column()? {
        match columns.get(i).map(|(_, c)| c) {
            Some(Column::Texts(texts)) => {
                let values: Vec<ByteArray> = texts.iter().map(|t| t.as_str().into()).collect();
                out.typed::<ByteArrayType>()
                    .write_batch(&values, None, None)?;
            }
            Some(Column::Numbers(values, _)) if is_single(i) => {
                let values: Vec<f32> = values.iter().map(|&v| v as f32).collect();
                out.typed::<FloatType>().write_batch(&values, None, None)?;
            }
            Some(Column::Numbers(values, _)) => {
                out.typed::<DoubleType>().write_batch(values, None, None)?;
            }
            None => {}
        }
        out.close()?;
        i += 1;
    }
    group.close()?;
    writer.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_that_claims_too_much_is_refused_at_once() {
        // A list of 2^31 - 1 truth values under a field that nothing knows, which the parser would count through.
        let footer = [0xf9, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07, 0];
        let mut bytes = b"PAR1".to_vec();
        bytes.extend_from_slice(&footer);
        bytes.extend_from_slice(&(footer.len() as u32).to_le_bytes());
        bytes.extend_from_slice(b"PAR1");
        let source = bytes::Bytes::from(bytes);
        let said = match table(Path::new("x.parquet"), source.clone(), source, None, None) {
            Ok(_) => panic!("it was read"),
            Err(error) => error.to_string(),
        };
        assert!(said.contains("claims 2147483647 elements"), "{said}");
    }
}
