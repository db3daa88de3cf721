//! `metrics.parquet`: scalar results and curves in one long table.

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::record::RunRecord;

/// `seed` is the seed's bits as a signed number; `step` is null for a scalar result.
const SCHEMA: &str = "message metrics {
    REQUIRED INT64 seed;
    REQUIRED BYTE_ARRAY name (UTF8);
    OPTIONAL DOUBLE step;
    OPTIONAL DOUBLE value;
    REQUIRED BYTE_ARRAY unit (UTF8);
}";

/// One row of the table.
struct Row<'a> {
    seed: u64,
    name: &'a str,
    step: Option<f64>,
    value: Option<f64>,
    unit: &'a str,
}

/// The table as the bytes of a Parquet file.
pub(super) fn to_parquet(record: &RunRecord) -> Result<Vec<u8>, ParquetError> {
    let rows = rows(record);
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("chiasm".into())
        .build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let text = |pick: fn(&Row<'_>) -> String| -> Vec<ByteArray> {
        rows.iter()
            .map(|r| ByteArray::from(pick(r).into_bytes()))
            .collect()
    };
    let optional = |pick: fn(&Row<'_>) -> Option<f64>| -> (Vec<f64>, Vec<i16>) {
        let values = rows.iter().filter_map(pick).collect();
        (
            values,
            rows.iter().map(|r| i16::from(pick(r).is_some())).collect(),
        )
    };
    let seeds: Vec<i64> = rows.iter().map(|r| r.seed.cast_signed()).collect();
    let mut n = 0;
    while let Some(mut column) = group.next_column()? {
        match n {
            0 => {
                column
                    .typed::<Int64Type>()
                    .write_batch(&seeds, None, None)?;
            }
            1 | 4 => {
                let values = text(if n == 1 {
                    |r| r.name.into()
                } else {
                    |r| r.unit.into()
                });
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&values, None, None)?;
            }
            _ => {
                let (values, levels) = optional(if n == 2 { |r| r.step } else { |r| r.value });
                column
                    .typed::<DoubleType>()
                    .write_batch(&values, Some(&levels), None)?;
            }
        }
        column.close()?;
        n += 1;
    }
    group.close()?;
    writer.close()?;
    Ok(bytes)
}

fn rows(record: &RunRecord) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for (name, metric) in &record.metrics {
        for (&seed, &value) in record.seeds.iter().zip(&metric.values) {
            if value.is_some() {
                let (step, unit) = (None, metric.unit.as_str());
                rows.push(Row {
                    seed,
                    name,
                    step,
                    value,
                    unit,
                });
            }
        }
    }
    for (name, curves) in &record.series {
        for curve in curves {
            for (&step, &value) in curve.steps.iter().zip(&curve.values) {
                let (seed, step, unit) = (curve.seed, Some(step), "");
                rows.push(Row {
                    seed,
                    name,
                    step,
                    value,
                    unit,
                });
            }
        }
    }
    rows
}
