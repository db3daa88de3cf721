"""Writes `three.h5`: three samples in the layout of Spiking Heidelberg Digits, made up.

python make.py   (h5py 3, numpy 2)
"""

import h5py
import numpy as np

times = [[0.0, 0.25, 0.25, 1.125], [0.5], [0.0625, 0.75, 0.875]]
units = [[0, 699, 12, 4], [350], [7, 7, 8]]
with h5py.File("three.h5", "w") as file:
    half = file.create_dataset("spikes/times", (3,), dtype=h5py.vlen_dtype(np.dtype("float16")))
    whole = file.create_dataset("spikes/units", (3,), dtype=h5py.vlen_dtype(np.dtype("uint16")))
    for i in range(3):
        half[i] = np.array(times[i], "float16")
        whole[i] = np.array(units[i], "uint16")
    file["labels"] = np.array([2, 0, 1], "uint16")
    file["extra/speaker"] = np.array([4, 11, 4], "uint16")
    file["extra/keys"] = np.array([b"zero", b"one", b"two"])
