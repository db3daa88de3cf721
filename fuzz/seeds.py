"""Seeds for the fuzz targets: small files of every kind, made by the field's libraries.

    python seeds.py            (needs h5py, numpy, scipy, pandas, pyarrow, pynwb, Pillow, torch, safetensors; writes seeds/TARGET/*)
"""

import datetime
import gzip
import pathlib
import struct
import wave

import h5py
import numpy as np
import pandas as pd
import safetensors.torch
import scipy.io
import torch
from PIL import Image
from pynwb import NWBHDF5IO, NWBFile, TimeSeries

seeds = pathlib.Path(__file__).parent / "seeds"
x = np.arange(24, dtype="f4").reshape(8, 3)
t = np.cumsum(np.full(8, 0.5))


def at(target, name):
    (seeds / target).mkdir(parents=True, exist_ok=True)
    return str(seeds / target / name)


for libver in ["earliest", "v110", "latest"]:
    bounds = libver if libver != "v110" else (libver, libver)
    with h5py.File(at("hdf5", libver + ".h5"), "w", libver=bounds) as f:
        f.create_dataset("gzip", data=x, chunks=(4, 2), compression="gzip", shuffle=True, fletcher32=True)
        f.create_dataset("lzf", data=np.repeat(x, 9, 0).T, compression="lzf", maxshape=(None, None))
        f["t"] = t
        f.create_dataset("labels", data=["a", "b", "c"], dtype=h5py.string_dtype())
        f["fixed"] = np.array([b"a", b"b", b"c"])
        f["table"] = np.array(list(zip(t, t)), dtype=[("t", "f8"), ("speed", "f8")])
        f["units"] = np.array([(i, b"q") for i in range(3)], dtype=[("id", "i4"), ("label", "S2")])
        v = f.create_dataset("ragged", (2,), dtype=h5py.vlen_dtype("f8"))
        v[0], v[1] = [1.0, 2.0], [3.0]
        f["flags"] = np.arange(8) % 2 == 0
        f.create_dataset("enum", data=np.zeros(8, "i1"), dtype=h5py.enum_dtype({"A": 0}, basetype="i1"))
        f["half"] = np.array([3.0], "f2")
        f["pairs"] = np.array([[1.0, 2.0], [3.0, 4.0]])
for n in [0, 3]:
    with h5py.File(at("hdf5", f"own-{n}.h5"), "w") as f:
        f["traces"], f["time"] = x, t
        f.create_dataset("unit_labels", data=["a", "b", "c"], dtype=h5py.string_dtype())
file = NWBFile("d", "i", datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc))
for i in range(3):
    file.add_unit(spike_times=t[:i], obs_intervals=[[0.0, 9.0]], id=i)
file.add_trial(start_time=0.0, stop_time=1.0)
file.add_acquisition(TimeSeries("v", data=t, unit="V", timestamps=t))
# Without the cached schema the file is small, and damage falls on what the reader reads.
with NWBHDF5IO(at("nwb", "units.nwb"), "w") as io:
    io.write(file, cache_spec=False)
np.savez(at("npz", "traces.npz"), traces=x, time=t, unit_labels=np.array(["a", "b", "c"]), unit_positions=x[:3], covariate_names=["v"], covariate_0=t)
np.savez_compressed(at("npz", "spikes.npz"), spike_times=t, spike_units=np.arange(8) % 3, epoch_start_s=t, epoch_stop_s=t)
for i, a in enumerate([x, np.asfortranarray(x), x.astype(">i2"), np.array(["a", "bc"]), np.array([b"a", b"bc"]), x > 3]):
    np.save(at("npy", f"{i}.npy"), a)
frame = pd.DataFrame(x, columns=["a", "b", "c"])
frame.insert(0, "time_s", t)
long = pd.DataFrame({"unit": ["a", "b"] * 4, "time": t})
for i, table in enumerate([frame, long, long.assign(value=t)]):
    table.to_csv(at("csv", f"{i}.csv"), index=False)
    table.to_parquet(at("parquet", f"{i}.parquet"))
cells = np.empty(2, dtype=object)
cells[:] = [t, t[:3]]
for packed in [False, True]:
    contents = dict(traces=x, x=x.T, time=t, labels=np.array(["a", "b", "c"], dtype=object), data=dict(st=cells, name="n"))
    scipy.io.savemat(at("mat", f"{int(packed)}.mat"), contents, do_compression=packed)
texts = [
    "traces=gcamp/trace_array,time=timing/t,axes=time.unit,velocity=behavior/velocity[mm/s]@b/t",
    "spikes=a,spike_units=b,span=0:3,time_unit=ms,epochs.trial=c",
    'traces = "a"\nrate = "3"\n[covariates]\nv = { dataset = "b", unit = "m" }\n[epochs.e]\ndataset = "c"\nframes = true\n',
]
for i, text in enumerate(texts):
    pathlib.Path(at("mapping", str(i))).write_text(text)
idx = struct.pack(">BBBBIII", 0, 0, 8, 3, 2, 2, 2) + bytes(range(8))
pathlib.Path(at("idx", "plain")).write_bytes(idx)
pathlib.Path(at("idx", "packed")).write_bytes(gzip.compress(idx))
wiring = '[{"pre": "B", "post": "A", "typ": 0, "syn": [1, 2]}, {"pre": "A", "post": "B", "typ": 2, "syn": [1]}]'
pathlib.Path(at("wiring", "small")).write_text(wiring)
pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
for name, image in [("color", pixels), ("grey", pixels[..., 0])]:
    for ending in ["png", "jpg"]:
        Image.fromarray(image).save(at("photo", f"{name}.{ending}"))
seen = [(3, 4, 1, 10), (3, 5, 0, 900), (2, 5, 1, 70000)]
over = bytes([0, 240, 0, 0, 0])
n_mnist = b"".join(bytes([x, y, on << 7 | t >> 16, t >> 8 & 255, t & 255]) + over for x, y, on, t in seen)
pathlib.Path(at("events", "n-mnist.bin")).write_bytes(n_mnist)
two = b"".join(struct.pack(">II", y << 8 | x << 1 | on, t) for x, y, on, t in seen)
pathlib.Path(at("events", "dvs128.aedat")).write_bytes(b"#!AER-DAT2.0\r\n" + two)
davis = b"".join(struct.pack(">II", y << 22 | x << 12 | on << 11, t) for x, y, on, t in seen)
pathlib.Path(at("events", "davis.aedat")).write_bytes(b"#!AER-DAT2.0\r\n# DAVIS240C\r\n" + davis)
three = b"".join(struct.pack("<II", x << 17 | y << 2 | on << 1 | 1, t) for x, y, on, t in seen)
head = struct.pack("<HHIIIIII", 1, 1, 8, 4, 0, 3, 3, 3)
pathlib.Path(at("events", "three.aedat")).write_bytes(b"#!AER-DAT3.1\r\n#!END-HEADER\r\n" + head + three)
for name, width, values in [("16", 2, np.arange(-800, 800, dtype="<i2")), ("8", 1, np.arange(1600).astype("u1"))]:
    with wave.open(at("sound", f"{name}.wav"), "wb") as file:
        file.setparams((1, width, 8000, 0, "NONE", ""))
        file.writeframes(values.tobytes())
# Also the references of tests: `crates/data/src/formats/pytorch/*.pt`.
torch.manual_seed(0)
layers = [torch.nn.Linear(3, 4), torch.nn.GELU(), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2)]
model = torch.nn.Sequential(*layers)
with torch.no_grad():
    layers[2].weight.uniform_(0.5, 1.5)
    layers[2].bias.uniform_(-0.5, 0.5)
inputs = torch.randn(5, 3)
torch.save({"model": model.state_dict(), "x": inputs, "y": model(inputs).detach(), "epoch": 3}, at("weights", "network.pt"))
m = torch.arange(6, dtype=torch.float32).reshape(2, 3)
views = [m.T, m[1, 1:], m.half(), m.bfloat16(), m.long(), m.bool(), m.double(), torch.nn.Parameter(m)]
torch.save(views, at("weights", "views.pt"))
torch.save(model, at("weights", "module.pt"))
safetensors.torch.save_file(model.state_dict(), at("weights", "network.safetensors"))
