"""Training of the multi-modal GP-VAE beside the same model written in PyTorch (pip: torch; Debian: python3-torch)."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path

from common import EXAMPLES, Comparison, Peer

BATCH, TRIALS, BINS = 20, 60, 60
# PyTorch is large: it is not in requirements.txt. The environment's own if it is there, or else the system's.
PYTHON = sys.executable if importlib.util.find_spec("torch") else "/usr/bin/python3"


def arguments(case: dict, folder: Path) -> list[str]:
    return [str(folder), str(case["units"]), str(case["size"]), case["widths"]]


def inputs(case: dict, folder: Path) -> None:
    """Trials, parameters at the start and draws, written by our example."""
    subprocess.run([str(EXAMPLES / "peer_mm_gpvae"), "dump", *arguments(case, folder)], check=True)


def ours(case: dict, folder: Path) -> list[str]:
    return ["peer_mm_gpvae", "train", *arguments(case, folder), str(case["epochs"])]


def pytorch(case: dict, folder: Path):
    """The model of docs/src/methods/mm-gpvae.md with the default settings, in single precision."""
    import numpy as np
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    start = json.loads((folder / "start.json").read_text())
    units, pixels = start["units"], start["pixels"]
    read = lambda name, *shape: torch.from_numpy(np.fromfile(folder / name, dtype="<f4").reshape(shape))
    counts = read("counts.bin", TRIALS, BINS, units)
    grey = read("images.bin", TRIALS, BINS, pixels)
    scale = float(grey.double().std(unbiased=False))
    images = grey / scale
    fixed = torch.lgamma(counts.double() + 1).sum() + TRIALS * BINS * pixels * math.log(scale)
    draws = read("noise.bin", TRIALS, 3, start["coefficients"])

    circle, least = BINS + 120, 10.0
    most = math.floor(circle / (math.pi * least) * math.sqrt(0.5 * math.log(1e8)))
    w = np.concatenate([np.arange(most), np.arange(-most, 0)])
    phase = 2 * math.pi * np.outer(w, np.arange(BINS)) / circle
    basis = math.sqrt(2 / circle) * np.where(w[:, None] < 0, np.sin(phase), np.cos(phase))
    basis[0] /= math.sqrt(2)
    basis = torch.tensor(basis, dtype=torch.float32)
    squared = basis**2
    bend = torch.tensor(-0.5 * (2 * math.pi * w / circle) ** 2, dtype=torch.float32)
    hidden = len(case["widths"].split(","))

    def fresh() -> dict:
        return {
            a["name"]: torch.tensor(a["values"], dtype=torch.float32).reshape(a["shape"]).requires_grad_()
            for a in start["parameters"]
        }

    def loss_of(p: dict, y, x, noise):
        """Minus the bound, summed over trials, up to what does not depend on the parameters."""
        n = y.shape[0]

        def encode(h, name, layers):
            h = h.reshape(n * BINS, -1)
            for i in range(layers):
                h = F.elu(h @ p[f"{name} encoder {i} weights"] + p[f"{name} encoder {i} bias"])
            mean = h @ p[f"{name} means weights"] + p[f"{name} means bias"]
            sd = h @ p[f"{name} log deviations weights"] + p[f"{name} log deviations bias"]
            in_time = lambda v: v.reshape(n, BINS, 2).transpose(1, 2)
            mean = in_time(mean) @ p[f"{name} map of means"] + p[f"{name} map bias"]
            return mean, in_time(sd) @ p[f"{name} map of log deviations"]

        mn, sn = encode(y, "neural", 3)
        mb, sb = encode(x, "behavior", hidden)
        join = lambda a, b: torch.cat([a[:, :1], 0.5 * (a[:, 1:] + b[:, :1]), b[:, 1:]], 1)
        m, s = join(mn, mb), join(sn, sb)
        length = p["log length scales"].exp()
        k = math.sqrt(2 * math.pi) * length * (length**2 * bend).exp() + 1e-2
        kl = 0.5 * ((m**2 + (2 * s).exp()) / k + k.log() - 2 * s - 1).sum()
        in_time = lambda z, b: (z @ b).transpose(1, 2).reshape(n * BINS, -1)
        c = p["loadings weights"]
        eta = in_time(m[:, :2], basis) @ c + p["loadings bias"]
        variance = in_time((2 * s[:, :2]).exp(), squared) @ c**2
        neural = ((eta + 0.5 * variance).exp() - y.reshape(n * BINS, -1) * eta).sum()
        h = in_time((m + s.exp() * noise)[:, 1:], basis)
        for i in range(hidden + 1):
            h = F.elu(h @ p[f"behavior decoder {i} weights"] + p[f"behavior decoder {i} bias"])
        v = p["log residual variance"]
        error = ((h - x.reshape(n * BINS, -1)) ** 2).sum()
        image = 0.5 * error / v.exp() + 0.5 * n * BINS * pixels * (v + math.log(2 * math.pi))
        return kl + neural + image.squeeze()

    with torch.no_grad():
        bound = -(float(loss_of(fresh(), counts, images, draws)) + float(fixed)) / TRIALS

    def work() -> dict:
        p = fresh()
        is_prior = lambda name: name.startswith(("loadings", "log length"))
        groups = [
            ([v for k, v in p.items() if k.startswith("neural")], 7.72e-4),
            ([v for k, v in p.items() if k.startswith("behavior") or k == "log residual variance"], 1.6e-4),
            ([v for k, v in p.items() if is_prior(k)], 8.8e-3),
        ]
        adams = [torch.optim.Adam(ps, lr=rate) for ps, rate in groups]
        order = torch.Generator().manual_seed(0)
        for _ in range(case["epochs"]):
            total = 0.0
            for which in torch.randperm(TRIALS, generator=order).split(BATCH):
                noise = torch.randn(len(which), 3, start["coefficients"], generator=order)
                loss = loss_of(p, counts[which], images[which], noise)
                for adam in adams:
                    adam.zero_grad()
                (loss / len(which)).backward()
                for (ps, _), adam in zip(groups, adams):
                    torch.nn.utils.clip_grad_norm_(ps, 1.0)
                    adam.step()
                with torch.no_grad():
                    p["log length scales"].clamp_(math.log(10), math.log(30))
                total += float(loss)
        return {"bound": bound, "trained_bound": -(total + float(fixed)) / TRIALS}

    return work


def same(ours: dict, theirs: dict) -> str | None:
    a, b = ours["bound"], theirs["bound"]
    if abs(a - b) > 1e-4 * abs(b):
        return f"bound at the start {a:.3f} against {b:.3f}"
    # The order of trials and the draws differ.
    a, b = ours["trained_bound"], theirs["trained_bound"]
    return None if abs(a - b) <= 0.05 * abs(b) else f"bound after training {a:.1f} against {b:.1f}"


COMPARISONS = [
    Comparison(
        name="mm-gpvae",
        cases=[
            {"name": "scaled: 20 x 20 pixels, 50 units", "units": 50, "size": 20, "widths": "128,64", "epochs": 5},
            {
                "name": "paper: 36 x 36 pixels, 100 units",
                "units": 100,
                "size": 36,
                "widths": "784,512,256,256",
                "epochs": 1,
            },
        ],
        inputs=inputs,
        ours=ours,
        peers=[Peer(name="pytorch", prepare=pytorch, package="torch", python=PYTHON)],
        bar=1.0,
        fair="The same model from the same parameters on the same 60 trials of 60 bins, batches of 20, three Adams with "
        "clipped gradients, single precision, eager mode. The objective at the start must agree to 1e-4, with the same "
        "draws; the order of trials and the draws in training are each side's own.",
        same=same,
        crate="chiasm-net",
        threads=("1", "2"),
        rounds=2,
        repeats=2,
    ),
]
