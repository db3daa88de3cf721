//! Files of address events.

use std::path::Path;

use super::{Event, Events, Sensor};
use crate::arrays::NamedArrays;
use crate::error::DataError;

/// Rows and columns of an N-MNIST sample.
const N_MNIST: Sensor = Sensor {
    width: 34,
    height: 34,
};
/// The row that an event of the N-MNIST format names when it only says that the clock ran over.
const CLOCK: u8 = 240;
/// By how much it then did, microseconds.
const CLOCK_US: u64 = 1 << 13;

impl Events {
    /// Reads a file of events:
    ///
    /// - `.bin`: the format of N-MNIST and N-Caltech101 (five bytes for each event; no size of a sensor: 34 x 34 if `sensor` is
    ///   left out);
    /// - `.aedat`: AEDAT 2.0 of a DVS128 (128 x 128) or, where the header names one, of a DAVIS240 (240 x 180), and AEDAT 3.1
    ///   with polarity events (`sensor`, or 346 x 260). Frames and other events are passed over;
    /// - NPZ, MAT and HDF5 files with arrays `t` (microseconds), `x`, `y` and `p` (0 or 1; rising if left out), or with
    ///   `times` (s) and `units` as of a cochlea.
    ///
    /// Time counts from the first event of AEDAT files, else as the file has it.
    ///
    /// # Errors
    /// [`DataError`] naming the file: not there, cut short, of another format; as [`Events::new`] for an event out of order or
    /// outside the sensor.
    pub fn read(path: &Path, sensor: Option<Sensor>) -> Result<Self, DataError> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let bytes = || {
            std::fs::read(path).map_err(|source| DataError::Io {
                path: path.into(),
                action: "read",
                source,
            })
        };
        match extension.as_deref() {
            Some("bin") => Self::decode_bin(&bytes()?, sensor, path),
            Some("aedat") => Self::decode_aedat(&bytes()?, sensor, path),
            Some("aedat4") => Err(unsupported(path, "AEDAT", "version 4")),
            _ => of_arrays(path, sensor),
        }
    }

    /// Events of the N-MNIST format; `path` is for errors.
    ///
    /// # Errors
    /// As [`Events::read`].
    pub fn decode_bin(
        bytes: &[u8],
        sensor: Option<Sensor>,
        path: &Path,
    ) -> Result<Self, DataError> {
        let whole = bytes.chunks_exact(5);
        if !whole.remainder().is_empty() {
            let reason = format!("{} bytes are no whole number of events of 5", bytes.len());
            return Err(malformed(path, "N-MNIST events", reason));
        }
        let mut events = Vec::with_capacity(bytes.len() / 5);
        let mut ran_over = 0;
        for e in whole {
            if e[1] == CLOCK {
                ran_over += CLOCK_US;
                continue;
            }
            let t = u64::from(e[2] & 127) << 16 | u64::from(e[3]) << 8 | u64::from(e[4]);
            events.push(Event {
                t_us: t + ran_over,
                x: e[0].into(),
                y: e[1].into(),
                on: e[2] & 128 != 0,
            });
        }
        Self::new(sensor.unwrap_or(N_MNIST), events).map_err(|e| e.in_file(path))
    }

    /// Events of AEDAT 2.0 or 3.1; `path` is for errors.
    ///
    /// # Errors
    /// As [`Events::read`].
    pub fn decode_aedat(
        bytes: &[u8],
        sensor: Option<Sensor>,
        path: &Path,
    ) -> Result<Self, DataError> {
        let (header, body) = header(bytes);
        let version = header.first().map_or("", String::as_str);
        let davis = header
            .iter()
            .any(|line| line.to_lowercase().contains("davis"));
        let (mut events, usual) = match version {
            v if v.starts_with("#!AER-DAT2") && davis => {
                (version_2(body, path, davis240)?, (240, 180))
            }
            v if v.starts_with("#!AER-DAT2") => (version_2(body, path, dvs128)?, (128, 128)),
            v if v.starts_with("#!AER-DAT3") => (version_3(body, path)?, (346, 260)),
            v if v.starts_with("#!AER-DAT") => {
                let version = v.trim_start_matches("#!AER-DAT");
                return Err(unsupported(path, "AEDAT", &format!("version {version}")));
            }
            _ => {
                let reason = "the first line does not begin with `#!AER-DAT`".to_owned();
                return Err(malformed(path, "AEDAT", reason));
            }
        };
        if let Some(first) = events.first().map(|e| e.t_us) {
            for e in &mut events {
                // What comes before the first event is out of order, and said so by `new`.
                e.t_us = e.t_us.wrapping_sub(first);
            }
        }
        let sensor = sensor.unwrap_or(Sensor::new(usual.0, usual.1));
        if version.starts_with("#!AER-DAT2") {
            // Its rows are counted from the bottom; one outside the sensor is left for `new` to refuse.
            for e in &mut events {
                e.y = (sensor.height.wrapping_sub(1))
                    .checked_sub(e.y)
                    .unwrap_or(e.y);
            }
        }
        Self::new(sensor, events).map_err(|e| e.in_file(path))
    }
}

fn malformed(path: &Path, format: &'static str, reason: String) -> DataError {
    DataError::Malformed {
        path: path.into(),
        format,
        reason,
    }
}

fn unsupported(path: &Path, format: &'static str, what: &str) -> DataError {
    DataError::Unsupported {
        path: path.into(),
        format,
        what: what.into(),
        help: Some(
            "write it as an NPZ file with arrays `t` (microseconds), `x`, `y` and `p`".into(),
        ),
    }
}

/// The lines that begin with `#`, and what follows them.
fn header(mut bytes: &[u8]) -> (Vec<String>, &[u8]) {
    let mut lines = vec![];
    while bytes.first() == Some(&b'#') {
        let end = bytes
            .iter()
            .position(|b| *b == b'\n')
            .map_or(bytes.len(), |i| i + 1);
        let (line, rest) = bytes.split_at(end);
        lines.push(String::from_utf8_lossy(line).trim_end().to_owned());
        bytes = rest;
        // Version 3 says where its header ends; its data may begin with any byte.
        if lines.last().is_some_and(|l| l.starts_with("#!END-HEADER")) {
            break;
        }
    }
    (lines, bytes)
}

/// Address and time, most significant byte first. `address` tells what an address stands for, if for an event of a pixel.
fn version_2(
    body: &[u8],
    path: &Path,
    address: fn(u32) -> Option<(u16, u16, bool)>,
) -> Result<Vec<Event>, DataError> {
    let whole = body.chunks_exact(8);
    if !whole.remainder().is_empty() {
        let reason = format!(
            "{} bytes after the header are no whole number of events of 8",
            body.len()
        );
        return Err(malformed(path, "AEDAT", reason));
    }
    let mut events = vec![];
    for e in whole {
        let word = |i: usize| u32::from_be_bytes([e[i], e[i + 1], e[i + 2], e[i + 3]]);
        if let Some((x, y, on)) = address(word(0)) {
            let t_us = word(4).into();
            events.push(Event { t_us, x, y, on });
        }
    }
    Ok(events)
}

/// Fifteen bits: row, column, polarity (0 where brightness rose); the column is counted from the right, as jAER has it.
fn dvs128(address: u32) -> Option<(u16, u16, bool)> {
    let (x, y) = ((address >> 1) & 127, (address >> 8) & 127);
    // A bit above the address is an external event.
    (address >> 15 == 0).then_some((127 - x as u16, y as u16, address & 1 == 0))
}

/// Row, column, polarity (1 where brightness rose), if neither a frame's sample nor an external event.
fn davis240(address: u32) -> Option<(u16, u16, bool)> {
    let (x, y) = ((address >> 12) & 1023, (address >> 22) & 511);
    let other = address >> 31 != 0 || address & 0x400 != 0;
    (!other).then_some((x as u16, y as u16, address & 0x800 != 0))
}

/// Packets, least significant byte first.
fn version_3(mut body: &[u8], path: &Path) -> Result<Vec<Event>, DataError> {
    const POLARITY: u16 = 1;
    let short = || malformed(path, "AEDAT", "the last packet is cut short".into());
    let mut events = vec![];
    while !body.is_empty() {
        let (head, rest) = body.split_at_checked(28).ok_or_else(short)?;
        let half = |i: usize| u16::from_le_bytes([head[i], head[i + 1]]);
        let word = |i: usize| u32::from_le_bytes([head[i], head[i + 1], head[i + 2], head[i + 3]]);
        let (kind, size, ran_over, capacity) =
            (half(0), word(4) as usize, word(12), word(16) as usize);
        let held = size.checked_mul(capacity).ok_or_else(short)?;
        let (packet, rest) = rest.split_at_checked(held).ok_or_else(short)?;
        body = rest;
        if kind != POLARITY {
            continue;
        }
        if size != 8 {
            let reason = format!("polarity events of {size} bytes, where 8 are expected");
            return Err(malformed(path, "AEDAT", reason));
        }
        let number = word(20) as usize;
        for e in packet.chunks_exact(8).take(number) {
            let data = u32::from_le_bytes([e[0], e[1], e[2], e[3]]);
            let time = u32::from_le_bytes([e[4], e[5], e[6], e[7]]);
            // Events that a filter has struck out stay in the file.
            if data & 1 == 1 {
                events.push(Event {
                    t_us: u64::from(ran_over) << 31 | u64::from(time & 0x7fff_ffff),
                    x: (data >> 17) as u16,
                    y: (data >> 2) as u16 & 0x7fff,
                    on: data & 2 != 0,
                });
            }
        }
    }
    Ok(events)
}

/// Arrays `t`, `x`, `y`, `p`, or `times` and `units`.
fn of_arrays(path: &Path, sensor: Option<Sensor>) -> Result<Events, DataError> {
    let file = NamedArrays::open(path)?;
    let has = |name: &str| file.names().iter().any(|n| n == name);
    let cochlea = !has("t") && has("times");
    let (t, x) = if cochlea {
        ("times", "units")
    } else {
        ("t", "x")
    };
    let column = |name: &str, most: f64, expected: &str| -> Result<Vec<f64>, DataError> {
        let values: Vec<f64> = file.numbers(name)?.iter().copied().collect();
        let fits = |v: &f64| (0.0..=most).contains(v) && (cochlea && name == t || v.fract() == 0.0);
        match values.iter().position(|v| !fits(v)) {
            Some(i) => Err(file.fault(name, Some(i), expected, values[i])),
            None => Ok(values),
        }
    };
    let most_t = if cochlea { 1e9 } else { 1e15 };
    let expected = if cochlea {
        "seconds of at least 0"
    } else {
        "whole microseconds of at least 0"
    };
    let times = column(t, most_t, expected)?;
    let unit = if cochlea { 1e6 } else { 1.0 };
    let pixel = "whole numbers from 0 to 65534";
    let xs = column(x, 65534.0, pixel)?;
    let ys = match cochlea {
        true => vec![0.0; xs.len()],
        false => column("y", 65534.0, pixel)?,
    };
    let on = match has("p") {
        true => column("p", 1.0, "0 or 1")?,
        false => vec![1.0; xs.len()],
    };
    for (name, n) in [(x, xs.len()), ("y", ys.len()), ("p", on.len())] {
        if n != times.len() {
            let expected = format!("{} values, as `{t}` has", times.len());
            return Err(file.fault(name, None, &expected, n));
        }
    }
    let columns = times.iter().zip(&xs).zip(&ys).zip(&on);
    let events = columns.map(|(((t, x), y), on)| Event {
        t_us: (t * unit).round() as u64,
        x: *x as u16,
        y: *y as u16,
        on: *on != 0.0,
    });
    let events: Vec<Event> = events.collect();
    let furthest = |of: fn(&Event) -> u16| events.iter().map(of).max().unwrap_or(0) + 1;
    let sensor = sensor.unwrap_or_else(|| Sensor::new(furthest(|e| e.x), furthest(|e| e.y)));
    Events::new(sensor, events).map_err(|e| e.in_file(path))
}

#[cfg(test)]
mod tests;
