"""Perceptrons of inverted bottlenecks beside PyTorch: so many steps of Lion on images of 32 x 32 pixels.

The images are random: neither side's time depends on what is in them. PyTorch's Lion is that of lion-pytorch in a few lines over
whole tensors (`torch._foreach`), which is faster than the package's loop; where the package is installed it can be timed with
`PEER_LION=package`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from common import HERE, Comparison, Peer

INPUTS, CLASSES = 3 * 32 * 32, 10
RATE, SMOOTHING = 5e-5, 0.3


def interpreter() -> str:
    """An environment with torch that is named; that of requirements-spiking.txt; the scripts' own."""
    own = HERE / ".venv-spiking" / "bin" / "python"
    return os.environ.get("PEER_SPIKING_PYTHON") or (str(own) if own.exists() else sys.executable)


def shapes(case: dict) -> list[tuple[tuple[int, int], int]]:
    """Every array of the network in our order, weights [in, out], with its fan-in (0: a gain of ones, -1: a shift of zeros)."""
    m, k = case["width"], 4
    all_shapes = [((INPUTS, m), INPUTS), ((1, m), INPUTS)]
    for _ in range(case["depth"]):
        all_shapes += [((1, m), 0), ((1, m), -1)]
        all_shapes += [((m, k * m), m), ((1, k * m), m), ((k * m, m), k * m), ((1, m), k * m)]
    return [*all_shapes, ((m, CLASSES), m), ((1, CLASSES), m)]


def inputs(case: dict, folder: Path) -> None:
    """Standardized images, labels, and the parameters at the start."""
    import numpy as np

    draw = np.random.default_rng(53)
    n = case["images"]
    draw.standard_normal((n, INPUTS), dtype=np.float32).astype("<f4").tofile(folder / "x.bin")
    draw.integers(0, CLASSES, n).astype("<u4").tofile(folder / "labels.bin")
    with (folder / "start.bin").open("wb") as file:
        for shape, fan_in in shapes(case):
            if fan_in > 0:
                values = draw.uniform(-1, 1, shape) / fan_in**0.5
            else:
                values = np.full(shape, 1.0 + fan_in)
            values.astype("<f4").tofile(file)


def ours(case: dict, folder: Path) -> list[str]:
    name = f"B_{case['depth']}-Wi_{case['width']}"
    return ["peer_scaling_mlps", str(folder), name, str(case["batch"]), str(case["steps"]), str(RATE)]


def torch_side(case: dict, folder: Path):
    """The published block: LayerNorm, widening, exact gelu, narrowing, added to what entered."""
    import numpy as np
    import torch
    from torch import nn

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    n, m, k = case["images"], case["width"], 4

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(m)
            self.widen, self.gelu, self.narrow = nn.Linear(m, k * m), nn.GELU(), nn.Linear(k * m, m)

        def forward(self, z):
            return z + self.narrow(self.gelu(self.widen(self.norm(z))))

    def build():
        blocks = [Block() for _ in range(case["depth"])]
        return nn.Sequential(nn.Linear(INPUTS, m), *blocks, nn.Linear(m, CLASSES))

    x = torch.from_numpy(np.fromfile(folder / "x.bin", dtype="<f4").reshape(n, INPUTS).copy())
    labels = torch.from_numpy(np.fromfile(folder / "labels.bin", dtype="<u4").astype(np.int64))
    numbers, start, at = np.fromfile(folder / "start.bin", dtype="<f4"), [], 0
    for shape, _fan_in in shapes(case):
        size = shape[0] * shape[1]
        values = torch.from_numpy(numbers[at : at + size].reshape(shape).copy())
        start.append(values.T.contiguous() if shape[0] > 1 else values[0])
        at += size
    loss_of = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    batch, steps = case["batch"], case["steps"]

    def optimizer(model):
        if os.environ.get("PEER_LION") == "package":
            from lion_pytorch import Lion

            step = Lion(model.parameters(), lr=RATE, betas=(0.9, 0.99), weight_decay=0.0)
            return step.step
        parameters = list(model.parameters())
        means = [torch.zeros_like(p) for p in parameters]

        @torch.no_grad()
        def step():
            gradients = [p.grad for p in parameters]
            update = torch._foreach_mul(means, 0.9)
            torch._foreach_add_(update, gradients, alpha=0.1)
            torch._foreach_add_(parameters, torch._foreach_sign(update), alpha=-RATE)
            torch._foreach_mul_(means, 0.99)
            torch._foreach_add_(means, gradients, alpha=0.01)

        return step

    def work() -> dict:
        model = build()
        with torch.no_grad():
            for parameter, values in zip(model.parameters(), start, strict=True):
                parameter.copy_(values)
        step_of, total = optimizer(model), 0.0
        for step in range(steps):
            rows = torch.arange(step * batch, (step + 1) * batch) % n
            loss = loss_of(model(x[rows]), labels[rows])
            model.zero_grad(set_to_none=True)
            loss.backward()
            step_of()
            total += float(loss.detach())
        return {"loss": total / steps}

    return work


def same(ours: dict, theirs: dict) -> str | None:
    """Lion's step is a sign, so that rounding moves single weights by a whole step; the mean loss hardly."""
    a, b = ours["loss"], theirs["loss"]
    return None if abs(a - b) <= 2e-3 * abs(b) else f"mean loss {a:.6g} against {b:.6g}"


def case(depth: int, width: int, batch: int, steps: int) -> dict:
    facts = {"depth": depth, "width": width, "batch": batch, "steps": steps, "images": 4 * batch}
    return {"name": f"B_{depth}-Wi_{width}, {steps} steps of {batch} images", **facts}


COMPARISONS = [
    Comparison(
        name="scaling-mlps",
        cases=[case(2, 64, 256, 200), case(6, 512, 256, 20)],
        inputs=inputs,
        ours=ours,
        peers=[Peer("torch", torch_side, package="torch", python=interpreter())],
        fair=(
            "The same images, labels, start and batches in the same order, float32, Lion at 5e-5, smoothing .3, the same number of "
            "threads; no augmentation on either side. Ours copies each batch and checks that loss and gradients are finite."
        ),
        same=same,
        crate="chiasm-net",
        threads=("1", "2"),
        rounds=2,
        repeats=2,
    )
]
