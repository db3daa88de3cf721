"""Reads what chiasm wrote with the field's Python libraries, and fails where it is not what it must be."""

import sys
import warnings

import h5py
import numpy as np
import pandas as pd
import pynwb

warnings.simplefilter("ignore")
out = sys.argv[1] + "/"
n, u = 60, 7
x = np.fromfile(out + "x.f4", "f4").reshape(n, u)
t = np.fromfile(out + "t.f8")
speed = np.fromfile(out + "speed.f8")
flat = np.fromfile(out + "spikes.f8")
labels = ["AVAL", "AVAR", "RIML", "RIMR", "AVB", "γ1", "x"]

with np.load(out + "ours-traces.npz") as f:
    assert f["traces"].dtype == np.float32 and np.array_equal(f["traces"], x)
    assert np.array_equal(f["time"], t)
    assert list(f["unit_labels"]) == labels
    assert np.array_equal(f["covariate_0"], speed)
with np.load(out + "ours-spikes.npz") as f:
    assert np.array_equal(f["spike_times"], flat)
    assert list(f["span_s"]) == [0.0, 100.0]

table = pd.read_csv(out + "ours-traces.csv", float_precision="round_trip")
assert np.array_equal(table.iloc[:, 1 : u + 1].to_numpy().astype("f4"), x)
assert np.array_equal(table["time_s"], t) and np.array_equal(table["covariate:speed"], speed)
table = pd.read_parquet(out + "ours-traces.parquet")
assert np.array_equal(table.iloc[:, 1 : u + 1].to_numpy(), x) and table.iloc[:, 1].dtype == np.float32
assert np.array_equal(table["time_s"], t)
assert np.array_equal(pd.read_parquet(out + "ours-spikes.parquet")["time_s"], flat)
assert np.array_equal(pd.read_csv(out + "ours-spikes.csv", float_precision="round_trip")["time_s"], flat)

for name in ["ours-traces.nwb", "ours-spikes.nwb", "ours-regular.nwb"]:
    errors = pynwb.validate(path=out + name)
    errors = errors[0] if isinstance(errors, tuple) else errors
    assert not errors, (name, errors)
with pynwb.NWBHDF5IO(out + "ours-traces.nwb", "r") as io:
    file = io.read()
    series = file.processing["ophys"]["Fluorescence"]["traces"]
    assert np.array_equal(series.data[:], x) and series.data.dtype == np.float32
    assert np.array_equal(series.timestamps[:], t)
    assert list(series.rois.table["label"][:]) == labels
    assert series.rois.table.imaging_plane.device.name == "device"
    channel = file.processing["behavior"]["BehavioralTimeSeries"]["speed"]
    assert np.array_equal(channel.data[:], speed) and channel.unit == "mm/s"
    assert list(file.trials["start_time"][:]) == [0.0, 10.0, 20.0, 30.0]
    assert list(file.trials["label"][:]) == ["A", "B", "A", "B"]
    assert file.subject.subject_id == "worm 1"
    file.trials.to_dataframe()
with pynwb.NWBHDF5IO(out + "ours-spikes.nwb", "r") as io:
    units = io.read().units
    assert np.array_equal(np.concatenate([units["spike_times"][i] for i in range(4)]), flat)
    assert units["obs_intervals"][1].tolist() == [[0.0, 100.0]]
    assert list(units["label"][:]) == labels[:4]
    units.to_dataframe()
with pynwb.NWBHDF5IO(out + "ours-regular.nwb", "r") as io:
    series = io.read().processing["ophys"]["Fluorescence"]["traces"]
    assert series.rate == 12.5 and series.starting_time == 3.0
with h5py.File(out + "ours-traces.nwb") as f:
    assert f.attrs["nwb_version"].startswith("2.")
print("read back")
