"""Descent of a small convolutional network beside PyTorch, on the same batch, weights and steps."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from common import HERE, Comparison, Peer


def interpreter() -> str:
    """An environment with torch that is named; that of requirements-spiking.txt; the scripts' own."""
    own = HERE / ".venv-spiking" / "bin" / "python"
    return os.environ.get("PEER_SPIKING_PYTHON") or (str(own) if own.exists() else sys.executable)


def inputs(case: dict, folder: Path) -> None:
    import numpy as np

    draw = np.random.default_rng(3)
    n = case["batch"]
    np.savez(folder / "batch.npz", x=draw.standard_normal((n, 3 * 32 * 32)).astype("f4"), labels=draw.integers(0, 10, n))

    def layer(outputs, *rest):
        bound = 1 / np.prod(rest) ** 0.5
        return [draw.uniform(-bound, bound, shape).astype("f4") for shape in ((outputs, *rest), (outputs,))]

    weights = {0: layer(32, 3, 3, 3), 3: layer(64, 32, 3, 3), 6: layer(10, 64 * 8 * 8)}
    np.savez(
        folder / "weights.npz",
        **{f"{i}.{part}": array for i, arrays in weights.items() for part, array in zip(("weight", "bias"), arrays)},
    )


def ours(case: dict, folder: Path) -> list[str]:
    return ["peer_convolution", str(folder), str(case["steps"]), "0.01"]


def in_torch(case: dict, folder: Path):
    import numpy as np
    import torch
    from torch import nn

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    batch, weights = np.load(folder / "batch.npz"), np.load(folder / "weights.npz")
    x, labels = torch.from_numpy(batch["x"]).reshape(-1, 3, 32, 32), torch.from_numpy(batch["labels"])
    pool = lambda: nn.MaxPool2d(2)
    net = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), pool(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), pool(),
        nn.Flatten(), nn.Linear(64 * 8 * 8, 10),
    )  # fmt: skip
    # There a layer of its own makes rows of the images.
    start = {name.replace("6.", "7."): torch.from_numpy(weights[name]) for name in weights.files}

    def work() -> dict:
        net.load_state_dict(start)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for _ in range(case["steps"]):
            loss = nn.functional.cross_entropy(net(x), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return {"loss": float(loss)}

    return work


def same(one: dict, other: dict) -> str | None:
    a, b = one["loss"], other["loss"]
    return None if abs(a - b) <= 1e-4 * abs(b) else f"{a:.6g} against {b:.6g}"


COMPARISONS = [
    Comparison(
        name="convolution",
        cases=[{"name": "2 convolutions and pools, 64 images of 3 x 32 x 32, 20 steps", "batch": 64, "steps": 20}],
        inputs=inputs,
        ours=ours,
        peers=[Peer("torch", in_torch, package="torch", python=interpreter())],
        bar=1.0,
        fair="The same batch, weights and plain descent in float32.",
        same=same,
        crate="chiasm-net",
        rounds=2,
        repeats=2,
    )
]
