//! Neurodata Without Borders 2, written so that pynwb reads and validates it.
//!
//! Traces become a `RoiResponseSeries` below `Fluorescence`, spikes the units table, channels `TimeSeries` in the
//! module `behavior`, epochs one `TimeIntervals` for each kind. The writer is `rust-hdf5`, the one pure-Rust crate that
//! writes the soft links and object references that NWB is made of. It writes to a path, so the file is made in the
//! folder for temporary files and handed over as bytes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use chiasm_core::TimeAxis;
use rust_hdf5::{DatatypeMessage, H5Dataset, H5File, H5Group, H5Type, Hdf5Error, VarLenUnicode};
use sha2::{Digest, Sha256};

use super::nwb::{NO_START, SOURCE};
use crate::recording::{Activity, Covariate, Epoch, Recording, Unit};

type Done<T = ()> = Result<T, Hdf5Error>;

/// A file that is removed when it goes out of scope.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // Best effort: it lies among temporary files.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The recording as the bytes of an NWB file.
pub(crate) fn encode(recording: &Recording) -> Result<Vec<u8>, String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    if let Some(start) = &recording.session().start
        && !is_time(start)
    {
        return Err(format!(
            "the session start `{start}` (NWB wants YYYY-MM-DDThh:mm:ss and a time zone)"
        ));
    }
    let mut names: Vec<&str> = recording
        .covariates()
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
        return Err(format!("two channels called `{}`", twice[0]));
    }
    if let Some(bad) = names.iter().find(|n| n.is_empty() || n.contains('/')) {
        return Err(format!(
            "a channel called `{bad}` (a name without `/` is needed)"
        ));
    }
    let name = format!(
        "chiasm-{}-{}.nwb",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let scratch = Scratch(std::env::temp_dir().join(name));
    let writer = Writer {
        id: recording.session().id.clone(),
    };
    writer
        .file(&scratch.0, recording)
        .map_err(|e| e.to_string())?;
    std::fs::read(&scratch.0).map_err(|e| e.to_string())
}

/// Whether a text is an ISO 8601 time with a zone, as far as its shape tells.
fn is_time(text: &str) -> bool {
    let b = text.as_bytes();
    let shape = b.get(..19).is_some_and(|b| {
        b.iter().enumerate().all(|(i, c)| match i {
            4 | 7 => *c == b'-',
            10 => *c == b'T',
            13 | 16 => *c == b':',
            _ => c.is_ascii_digit(),
        })
    });
    shape && (text.ends_with('Z') || text[19..].contains(['+', '-']))
}

struct Writer {
    id: String,
}

impl Writer {
    fn file(&self, path: &std::path::Path, recording: &Recording) -> Done {
        let file = H5File::create(path)?;
        let root = file.root_group();
        self.typed(&root, "core", "NWBFile")?;
        root.set_attr_string("nwb_version", "2.7.0")?;
        let session = recording.session();
        let start = session.start.as_deref().unwrap_or(NO_START);
        scalar_text(&root, "identifier", &session.id)?;
        scalar_text(&root, "session_description", &session.description)?;
        scalar_text(&root, "session_start_time", start)?;
        scalar_text(&root, "timestamps_reference_time", start)?;
        // The start and not the present: the same recording gives the same bytes.
        root.write_vlen_strings("file_create_date", &[start])?;
        for name in ["acquisition", "analysis", "processing"] {
            root.create_group(name)?;
        }
        let stimulus = root.create_group("stimulus")?;
        stimulus.create_group("presentation")?;
        stimulus.create_group("templates")?;
        let general = root.create_group("general")?;
        scalar_text(&general, "notes", &format!("{SOURCE}{}", session.source))?;
        if !session.subject.is_empty() {
            let subject = general.create_group("subject")?;
            self.typed(&subject, "core", "Subject")?;
            scalar_text(&subject, "subject_id", &session.subject)?;
        }
        let processing = root.group("processing")?;
        match recording.activity() {
            Activity::Traces(_) => self.traces(&general, &processing, recording)?,
            Activity::Spikes(s) => self.spikes(&root, recording.units(), s)?,
        }
        if !recording.covariates().is_empty() {
            self.channels(&processing, recording.covariates())?;
        }
        if !recording.epochs().is_empty() {
            self.intervals(&root, recording.epochs())?;
        }
        file.close()
    }

    /// Marks a group with its type and an id that depends only on the session and the group's path.
    fn typed(&self, group: &H5Group, namespace: &str, kind: &str) -> Done {
        group.set_attr_string("namespace", namespace)?;
        group.set_attr_string("neurodata_type", kind)?;
        group.set_attr_string("object_id", &self.object_id(group.name()))
    }

    fn typed_column(&self, column: &H5Dataset, path: &str, kind: &str, description: &str) -> Done {
        let mut attributes = vec![
            ("namespace", "hdmf-common".to_owned()),
            ("neurodata_type", kind.to_owned()),
            ("object_id", self.object_id(path)),
        ];
        if !description.is_empty() {
            attributes.push(("description", description.to_owned()));
        }
        for (name, text) in attributes {
            column_text(column, name, &text)?;
        }
        Ok(())
    }

    fn object_id(&self, path: &str) -> String {
        let hash = Sha256::digest(format!("{}\n{path}", self.id).as_bytes());
        let hex: String = hash.iter().take(16).map(|b| format!("{b:02x}")).collect();
        // The shape of a version 4 identifier.
        format!(
            "{}-{}-4{}-a{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[13..16],
            &hex[17..20],
            &hex[20..32]
        )
    }

    /// A dynamic table with its ids; the columns are to follow.
    fn table(
        &self,
        group: &H5Group,
        kind: &str,
        about: &str,
        columns: &[&str],
        ids: &[i64],
    ) -> Done {
        self.typed(group, "core", kind)?;
        group.set_attr_string("description", about)?;
        group.set_attr_string_array("colnames", columns)?;
        let id = numbers(group, "id", &[ids.len()], ids)?;
        self.typed_column(
            &id,
            &format!("{}/id", group.name()),
            "ElementIdentifiers",
            "",
        )
    }

    fn number_column<T: H5Type>(
        &self,
        group: &H5Group,
        name: &str,
        shape: &[usize],
        values: &[T],
        about: &str,
    ) -> Done {
        let column = numbers(group, name, shape, values)?;
        self.typed_column(
            &column,
            &format!("{}/{name}", group.name()),
            "VectorData",
            about,
        )
    }

    fn text_column(&self, group: &H5Group, name: &str, texts: &[&str], about: &str) -> Done {
        let column = group.write_vlen_strings(name, texts)?;
        self.typed_column(
            &column,
            &format!("{}/{name}", group.name()),
            "VectorData",
            about,
        )
    }

    /// The row ends of the ragged column `name`.
    fn index(&self, group: &H5Group, name: &str, ends: &[u64]) -> Done {
        let index = format!("{name}_index");
        let column = numbers(group, &index, &[ends.len()], ends)?;
        let about = format!("index of {name}");
        self.typed_column(
            &column,
            &format!("{}/{index}", group.name()),
            "VectorIndex",
            &about,
        )?;
        let target = format!("{}/{name}", group.name());
        column
            .new_attr::<u64>()
            .shape(())
            .create("target")?
            .write_object_references(&[&target])
    }

    /// The columns of the unit table, ids apart: those in use.
    fn unit_columns(units: &[Unit]) -> Vec<&'static str> {
        let mut columns = vec!["unit_id"];
        let any = |used: bool, name| used.then_some(name);
        columns.extend(any(units.iter().any(|u| u.label.is_some()), "label"));
        columns.extend(any(units.iter().any(|u| u.region.is_some()), "location"));
        columns.extend(any(units.iter().any(|u| u.kind.is_some()), "cell_type"));
        columns.extend(any(units.iter().any(|u| u.position.is_some()), "position"));
        columns
    }

    fn write_unit_columns(&self, group: &H5Group, units: &[Unit]) -> Done {
        for name in Self::unit_columns(units) {
            let texts: Vec<&str> = match name {
                "unit_id" => units.iter().map(|u| u.id.as_str()).collect(),
                "label" => units
                    .iter()
                    .map(|u| u.label.as_deref().unwrap_or(""))
                    .collect(),
                "location" => units
                    .iter()
                    .map(|u| u.region.as_deref().unwrap_or(""))
                    .collect(),
                "cell_type" => units
                    .iter()
                    .map(|u| u.kind.as_deref().unwrap_or(""))
                    .collect(),
                _ => {
                    let flat: Vec<f64> = units
                        .iter()
                        .flat_map(|u| u.position.unwrap_or([f64::NAN; 3]))
                        .collect();
                    let about = "position in space, NaN where unknown";
                    self.number_column(group, name, &[units.len(), 3], &flat, about)?;
                    continue;
                }
            };
            self.text_column(group, name, &texts, "as recorded; empty where unknown")?;
        }
        Ok(())
    }

    fn spikes(&self, root: &H5Group, units: &[Unit], spikes: &crate::Spikes) -> Done {
        let group = root.create_group("units")?;
        let mut columns = Self::unit_columns(units);
        columns.extend(["spike_times", "obs_intervals"]);
        let ids: Vec<i64> = (0..units.len() as i64).collect();
        self.table(
            &group,
            "Units",
            "units and their spike times",
            &columns,
            &ids,
        )?;
        self.write_unit_columns(&group, units)?;
        let flat: Vec<f64> = spikes.times.iter().flatten().copied().collect();
        let ends: Vec<u64> = spikes
            .times
            .iter()
            .scan(0, |end, train| {
                *end += train.len() as u64;
                Some(*end)
            })
            .collect();
        self.number_column(
            &group,
            "spike_times",
            &[flat.len()],
            &flat,
            "spike times, s",
        )?;
        self.index(&group, "spike_times", &ends)?;
        let spans: Vec<f64> = units
            .iter()
            .flat_map(|_| [spikes.start_s, spikes.stop_s])
            .collect();
        self.number_column(
            &group,
            "obs_intervals",
            &[units.len(), 2],
            &spans,
            "observed from, to, s",
        )?;
        let ends: Vec<u64> = (1..=units.len() as u64).collect();
        self.index(&group, "obs_intervals", &ends)
    }

    fn traces(&self, general: &H5Group, processing: &H5Group, recording: &Recording) -> Done {
        let Activity::Traces(traces) = recording.activity() else {
            return Ok(());
        };
        let devices = general.create_group("devices")?;
        let device = devices.create_group("device")?;
        self.typed(&device, "core", "Device")?;
        let optics = general.create_group("optophysiology")?;
        let plane = optics.create_group("plane")?;
        self.typed(&plane, "core", "ImagingPlane")?;
        for (name, text) in [
            ("description", "all units"),
            ("indicator", "unknown"),
            ("location", "unknown"),
        ] {
            scalar_text(&plane, name, text)?;
        }
        scalar(&plane, "excitation_lambda", f64::NAN)?;
        plane.create_soft_link("device", "/general/devices/device")?;
        let channel = plane.create_group("optical_channel")?;
        self.typed(&channel, "core", "OpticalChannel")?;
        scalar_text(&channel, "description", "unknown")?;
        scalar(&channel, "emission_lambda", f64::NAN)?;

        let module = processing.create_group("ophys")?;
        self.typed(&module, "core", "ProcessingModule")?;
        module.set_attr_string("description", "activity of the units")?;
        let segmentation = module.create_group("ImageSegmentation")?;
        self.typed(&segmentation, "core", "ImageSegmentation")?;
        let units = recording.units();
        let table = segmentation.create_group("units")?;
        let ids: Vec<i64> = (0..units.len() as i64).collect();
        let mut columns = Self::unit_columns(units);
        columns.push("image_mask");
        self.table(&table, "PlaneSegmentation", "the units", &columns, &ids)?;
        self.write_unit_columns(&table, units)?;
        // pynwb opens no plane segmentation without masks; these say that there are none.
        let masks = vec![0.0_f32; units.len()];
        let about = "one empty pixel each: the masks are not known";
        self.number_column(&table, "image_mask", &[units.len(), 1, 1], &masks, about)?;
        table.create_group("reference_images")?;
        table.create_soft_link("imaging_plane", "/general/optophysiology/plane")?;

        let container = module.create_group("Fluorescence")?;
        self.typed(&container, "core", "Fluorescence")?;
        let series = container.create_group("traces")?;
        self.typed(&series, "core", "RoiResponseSeries")?;
        series.set_attr_string("description", &traces.quantity)?;
        series.set_attr_string("comments", "no comments")?;
        let shape = [traces.values.nrows(), traces.values.ncols()];
        let flat: Vec<f32> = traces.values.iter().copied().collect();
        self.samples(&series, &shape, &flat, "n.a.", &traces.time)?;
        let rois = numbers(&series, "rois", &[ids.len()], &ids)?;
        let path = format!("{}/rois", series.name());
        self.typed_column(&rois, &path, "DynamicTableRegion", "all units")?;
        rois.new_attr::<u64>()
            .shape(())
            .create("table")?
            .write_object_references(&[table.name()])
    }

    /// The data of a series and its clock.
    fn samples<T: H5Type>(
        &self,
        series: &H5Group,
        shape: &[usize],
        values: &[T],
        unit: &str,
        clock: &TimeAxis,
    ) -> Done {
        let data = numbers(series, "data", shape, values)?;
        column_text(&data, "unit", if unit.is_empty() { "n.a." } else { unit })?;
        for (name, value) in [
            ("conversion", 1.0_f64),
            ("offset", 0.0),
            ("resolution", -1.0),
        ] {
            column_number(&data, name, value)?;
        }
        match clock {
            TimeAxis::Explicit(times) => {
                let times = numbers(series, "timestamps", &[times.len()], times)?;
                column_text(&times, "unit", "seconds")?;
                column_number(&times, "interval", 1_i32)
            }
            TimeAxis::Regular {
                start_s, rate_hz, ..
            } => {
                let start = scalar(series, "starting_time", *start_s)?;
                column_text(&start, "unit", "seconds")?;
                column_number(&start, "rate", *rate_hz)
            }
        }
    }

    fn channels(&self, processing: &H5Group, channels: &[Covariate]) -> Done {
        let module = processing.create_group("behavior")?;
        self.typed(&module, "core", "ProcessingModule")?;
        module.set_attr_string("description", "behaviour and stimulus channels")?;
        let container = module.create_group("BehavioralTimeSeries")?;
        self.typed(&container, "core", "BehavioralTimeSeries")?;
        for channel in channels {
            let series = container.create_group(&channel.name)?;
            self.typed(&series, "core", "TimeSeries")?;
            series.set_attr_string("description", "no description")?;
            series.set_attr_string("comments", "no comments")?;
            let n = channel.values.len();
            self.samples(&series, &[n], &channel.values, &channel.unit, &channel.time)?;
        }
        Ok(())
    }

    fn intervals(&self, root: &H5Group, epochs: &[Epoch]) -> Done {
        let parent = root.create_group("intervals")?;
        let mut kinds: Vec<&str> = epochs.iter().map(|e| e.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for (i, kind) in kinds.into_iter().enumerate() {
            // Reserved names come with types of their own; a slash would be a path.
            let name = match kind {
                "trial" => "trials".to_owned(),
                "epoch" => "epochs".to_owned(),
                "trials" | "epochs" | "invalid_times" | "" | "." => format!("kind_{i}"),
                other if other.contains('/') => format!("kind_{i}"),
                other => other.to_owned(),
            };
            let group = parent.create_group(&name)?;
            let rows: Vec<&Epoch> = epochs.iter().filter(|e| e.kind == kind).collect();
            let ids: Vec<i64> = (0..rows.len() as i64).collect();
            let columns = ["start_time", "stop_time", "kind", "label"];
            self.table(
                &group,
                "TimeIntervals",
                &format!("epochs of kind {kind}"),
                &columns,
                &ids,
            )?;
            let starts: Vec<f64> = rows.iter().map(|e| e.start_s).collect();
            let stops: Vec<f64> = rows.iter().map(|e| e.stop_s).collect();
            self.number_column(&group, "start_time", &[rows.len()], &starts, "start, s")?;
            self.number_column(&group, "stop_time", &[rows.len()], &stops, "end, s")?;
            let kinds: Vec<&str> = rows.iter().map(|e| e.kind.as_str()).collect();
            let labels: Vec<&str> = rows.iter().map(|e| e.label.as_str()).collect();
            self.text_column(&group, "kind", &kinds, "kind of epoch")?;
            self.text_column(&group, "label", &labels, "which one of its kind")?;
        }
        Ok(())
    }
}

fn numbers<T: H5Type>(
    group: &H5Group,
    name: &str,
    shape: &[usize],
    values: &[T],
) -> Done<H5Dataset> {
    let dataset = group.new_dataset::<T>().shape(shape).create(name)?;
    if !values.is_empty() {
        dataset.write_raw(values)?;
    }
    Ok(dataset)
}

fn scalar(group: &H5Group, name: &str, value: f64) -> Done<H5Dataset> {
    let dataset = group.new_dataset::<f64>().scalar().create(name)?;
    dataset.write_raw(&[value])?;
    Ok(dataset)
}

/// A text of its own, as a string of fixed length.
fn scalar_text(group: &H5Group, name: &str, text: &str) -> Done {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.is_empty() {
        bytes.push(0);
    }
    let dataset = group
        .new_dataset::<u8>()
        .datatype(DatatypeMessage::fixed_string_utf8(bytes.len() as u32))
        .scalar()
        .create(name)?;
    dataset.write_raw_bytes(&bytes)
}

fn column_text(dataset: &H5Dataset, name: &str, text: &str) -> Done {
    dataset
        .new_attr::<VarLenUnicode>()
        .shape(())
        .create(name)?
        .write_string(text)
}

fn column_number<T: H5Type>(dataset: &H5Dataset, name: &str, value: T) -> Done {
    dataset
        .new_attr::<T>()
        .shape(())
        .create(name)?
        .write_numeric(&value)
}
