"""Writes files as the field's Python libraries do, and beside them what they hold, for chiasm to read."""

import datetime
import sys
import warnings

import h5py
import numpy as np
import pandas as pd
import scipy.io
from hdmf.backends.hdf5.h5_utils import H5DataIO
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.behavior import BehavioralTimeSeries, Position, SpatialSeries
from pynwb.epoch import TimeIntervals
from pynwb.file import Subject
from pynwb.ophys import (
    DfOverF,
    Fluorescence,
    ImageSegmentation,
    OpticalChannel,
    PlaneSegmentation,
    RoiResponseSeries,
)

warnings.simplefilter("ignore")
out = sys.argv[1] + "/"
rng = np.random.default_rng(7)
n, u = 60, 7
x = rng.standard_normal((n, u)).astype("f4")
t = np.cumsum(rng.uniform(0.5, 0.7, n))
speed = rng.standard_normal(n)
spikes = [np.sort(rng.uniform(0, 100, 20 * i)) for i in range(4)]
labels = ["AVAL", "AVAR", "RIML", "RIMR", "AVB", "γ1", "x"]

# What they hold, as plain little-endian bytes.
x.tofile(out + "x.f4")
t.tofile(out + "t.f8")
speed.tofile(out + "speed.f8")
np.concatenate(spikes).tofile(out + "spikes.f8")


def every_layout(f):
    """The same matrix in every way that h5py stores one."""
    chunks = dict(chunks=(16, 3))
    f["plain"] = x
    f["double"] = x.astype("f8")
    f["big_endian"] = x.astype(">f8")
    f["transposed"] = x.T
    f.create_dataset("chunked", data=x, **chunks)
    f.create_dataset("gzip", data=x, compression="gzip", **chunks)
    f.create_dataset("shuffle", data=x, compression="gzip", shuffle=True, **chunks)
    f.create_dataset("fletcher", data=x, compression="gzip", shuffle=True, fletcher32=True, **chunks)
    f.create_dataset("lzf", data=x, compression="lzf", **chunks)
    f.create_dataset("lzf_shuffle", data=np.repeat(x, 50, axis=0), compression="lzf", shuffle=True)
    f.create_dataset("growing", data=x, maxshape=(None, None), compression="gzip", **chunks)
    f.create_dataset("growing_1", data=x, maxshape=(None, u), **chunks)
    f["t"] = t
    f["t_ms"] = t * 1000
    f["speed"] = speed
    f.create_dataset("labels", data=labels, dtype=h5py.string_dtype())
    f["labels_fixed"] = np.array([s.encode() for s in labels])
    f["table"] = np.array(list(zip(t, speed)), dtype=[("t", "f8"), ("speed", "f8")])
    named = np.dtype([("id", "i4"), ("label", h5py.string_dtype()), ("tag", "S4")])
    f["units"] = np.array([(i, s, b"q") for i, s in enumerate(labels)], dtype=named)
    ragged = f.create_dataset("ragged", (4,), dtype=h5py.vlen_dtype("f8"))
    for i, train in enumerate(spikes):
        ragged[i] = train
    f["rate"] = 10.0
    f["half"] = np.arange(u, dtype="f2")
    f["flags"] = np.arange(n) % 3 == 0
    f["nothing"] = h5py.Empty("f8")
    f.create_dataset("none", shape=(0, 3))
    f.create_dataset("scaled", data=np.arange(n), chunks=(16,), scaleoffset=0)
    f["soft"] = h5py.SoftLink("/gzip")
    f["away"] = h5py.ExternalLink("elsewhere.h5", "/q")
    f["loop"] = h5py.SoftLink("/loop")
    group = f.create_group("deep/er")
    group["again"] = f["/deep"]
    group["x"] = x
    many = f.create_group("many")
    for i in range(300):
        many[f"d{i:04}"] = i


for version in ["earliest", "v108", "v110", "v112", "latest"]:
    bounds = version if version in ("earliest", "latest") else (version, version)
    with h5py.File(out + f"h5py-{version}.h5", "w", libver=bounds) as f:
        every_layout(f)
with h5py.File(out + "virtual.h5", "w", libver="latest") as f:
    layout = h5py.VirtualLayout(shape=x.shape, dtype="f4")
    layout[:] = h5py.VirtualSource(out + "h5py-latest.h5", "plain", shape=x.shape)
    f.create_virtual_dataset("virtual", layout)
    f["t"] = t


def nwb(packed):
    wrap = (lambda a: H5DataIO(a, compression="gzip", shuffle=True, chunks=True)) if packed else (lambda a: a)
    start = datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    file = NWBFile("a test", "id1", start)
    file.subject = Subject(subject_id="worm 1", species="Caenorhabditis elegans", age="P1D", sex="O")
    return file, wrap


for packed in (False, True):
    file, wrap = nwb(packed)
    device = file.create_device("microscope")
    plane = file.create_imaging_plane(
        name="plane", optical_channel=OpticalChannel(name="green", description="g", emission_lambda=500.0),
        description="head", device=device, excitation_lambda=488.0, indicator="GCaMP6", location="head",
    )
    table = PlaneSegmentation("rois", plane, "rois")
    for i in range(u + 2):
        table.add_roi(pixel_mask=[(i, i, 1.0)])
    table.add_column("label", "name", data=["unused", "unused2"][:2] + labels)
    module = file.create_processing_module("ophys", "calcium")
    module.add(ImageSegmentation(plane_segmentations=[table]))
    # The last rows of the table only, in its order.
    region = table.create_roi_table_region("recorded", region=list(range(2, u + 2)))
    module.add(Fluorescence(roi_response_series=[RoiResponseSeries("raw", wrap(x * 0 + 1), "lumens", region, timestamps=t)]))
    module.add(DfOverF(roi_response_series=[RoiResponseSeries("dff", wrap(x), "n.a.", region, timestamps=wrap(t), description="dF/F")]))
    behaviour = file.create_processing_module("behavior", "b")
    behaviour.add(BehavioralTimeSeries(time_series=[TimeSeries("speed", data=wrap(speed), unit="mm/s", timestamps=t)]))
    behaviour.add(Position(spatial_series=[SpatialSeries("stage", wrap(x[:, :2]), "stage", timestamps=t, unit="m")]))
    file.add_acquisition(TimeSeries("light", data=np.arange(30), unit="V", rate=10.0, starting_time=1.0, conversion=0.5))
    file.add_trial_column("odour", "o")
    for i in range(4):
        file.add_trial(start_time=i * 10.0, stop_time=i * 10.0 + 5.0, odour="AB"[i % 2])
    bouts = TimeIntervals("reversal", "r")
    bouts.add_interval(1.0, 2.0)
    file.add_time_intervals(bouts)
    with NWBHDF5IO(out + f"ophys-{int(packed)}.nwb", "w") as io:
        io.write(file)

file, _ = nwb(False)
file.add_unit_column("label", "l")
file.add_unit_column("location", "where")
for i, train in enumerate(spikes):
    file.add_unit(spike_times=train, obs_intervals=[[0.0, 50.0], [50.0, 100.0]], label=labels[i], location="CA1", id=10 + i)
with NWBHDF5IO(out + "units.nwb", "w") as io:
    io.write(file)

np.savez_compressed(
    out + "numpy.npz", traces=x, time=t, unit_labels=np.array(labels),
    covariate_names=["speed"], covariate_units=["mm/s"], covariate_0=speed,
)
np.save(out + "numpy.npy", np.asfortranarray(x))
wide = pd.DataFrame(x.astype("f8"), columns=labels)
wide.insert(0, "time_s", t)
wide["covariate:speed[mm/s]"] = speed
wide.to_csv(out + "pandas.csv", index=False)
wide.to_parquet(out + "pandas.parquet")
long = pd.DataFrame({"unit": np.repeat(labels[:4], [len(s) for s in spikes]), "time": np.concatenate(spikes)})
long.to_parquet(out + "long.parquet")
contents = dict(
    traces=x, time=t, unit_labels=np.array(labels, dtype=object),
    covariate_names=np.array(["speed"], dtype=object), covariate_0=speed,
)
scipy.io.savemat(out + "scipy.mat", contents, do_compression=True)
cells = np.empty(4, dtype=object)
cells[:] = spikes
scipy.io.savemat(out + "cells.mat", dict(data=dict(st=cells, name=np.array(labels[:4], dtype=object))))


def matlab(f, name, value, cls):
    """A variable as MATLAB 7.3 stores it: axes reversed."""
    f[name] = np.asarray(value).T
    f[name].attrs["MATLAB_class"] = np.bytes_(cls)


with h5py.File(out + "v73.mat", "w", userblock_size=512) as f:
    matlab(f, "traces", x, "single")
    matlab(f, "time", t[None, :], "double")
    matlab(f, "covariate_0", speed[None, :], "double")
    refs = []
    for i, text in enumerate(labels + ["speed"]):
        matlab(f, f"#refs#/r{i}", np.frombuffer(text.encode("utf-16-le"), "u2")[None, :], "char")
        refs.append(f[f"#refs#/r{i}"].ref)
    for name, cells in [("unit_labels", refs[:-1]), ("covariate_names", refs[-1:])]:
        f.create_dataset(name, data=np.array(cells, dtype=object)[:, None], dtype=h5py.ref_dtype)
        f[name].attrs["MATLAB_class"] = np.bytes_("cell")
with open(out + "v73.mat", "r+b") as f:
    f.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + b" " * 8 + b"\x00\x02IM")
