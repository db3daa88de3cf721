"""Critical periods beside NumPy (the reduced dynamics over a grid of deficits) and PyTorch (deep matrix completion)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from common import HERE, Comparison, Peer


def interpreter() -> str:
    """An environment with torch that is named; that of requirements-spiking.txt; the scripts' own."""
    own = HERE / ".venv-spiking" / "bin" / "python"
    return os.environ.get("PEER_SPIKING_PYTHON") or (str(own) if own.exists() else sys.executable)


def no_inputs(case: dict, folder: Path) -> None:
    """Nothing to write: both sides make the grid."""


def ours_sweep(case: dict, folder: Path) -> list[str]:
    depths = ",".join(map(str, case["depths"]))
    return ["peer_critical_periods", "sweep", depths, *(str(case[k]) for k in ("onsets", "lengths", "steps"))]


def numpy_sweep(case: dict, folder: Path):
    """All deficits of one depth at once, as arrays; powers by multiplication, which is faster than `np.power`."""
    import numpy as np

    s = np.sqrt([15.0, 7, 3, 3, 1, 1, 1, 1])
    onsets = np.arange(case["onsets"]) * 700 // case["onsets"]
    lengths = np.arange(1, case["lengths"] + 1) * 300 // case["lengths"]
    start = np.tile(onsets, len(lengths))[:, None]
    end = start + np.repeat(lengths, len(onsets))[:, None]

    def power(x, e):
        out = x.copy()
        for _ in range(e - 1):
            out *= x
        return out

    def work() -> dict:
        damages = []
        for depth in case["depths"]:
            a = np.full((len(start), 8), 0.01 ** (1 / depth))
            b = a.copy()
            for step in range(case["steps"]):
                pa = power(a, depth - 1) if depth > 1 else np.ones_like(a)
                pb = power(b, depth - 1) if depth > 1 else np.ones_like(b)
                rest = 0.01 * (s - pa * a - pb * b)
                a += pa * rest
                pb *= rest
                b += np.where((step >= start) & (step < end), 0.0, pb)
            ka, kb = power(a, depth), power(b, depth)
            damages.append(((ka - kb) / (ka + kb) * s).sum(axis=1).mean() / s.sum())
        return {"figure": float(np.mean(damages))}

    return work


def matrices(case: dict, folder: Path) -> None:
    """Both matrices, the positions seen, and weights at the start, as the published code draws them."""
    import numpy as np

    draw = np.random.default_rng(24)
    n, depth = case["side"], case["depth"]
    for name, rank in (("first", 10), ("second", 5)):
        m = draw.standard_normal((n, rank)) @ draw.standard_normal((rank, n)) / rank**0.5
        (m / np.linalg.norm(m) * n).astype("<f4").tofile(folder / f"{name}.bin")
    draw.permutation(n * n)[: case["observed"]].astype("<u4").tofile(folder / "seen.bin")
    for layer in range(depth):
        w = draw.standard_normal((n, n)) * 0.001 ** (1 / depth) / n**0.5
        w.astype("<f4").tofile(folder / f"weights-{layer}.bin")


def ours_completion(case: dict, folder: Path) -> list[str]:
    numbers = [case["side"], case["depth"], case["switch"], case["steps"], 0.2]
    return ["peer_critical_periods", "completion", str(folder), *map(str, numbers)]


def torch_completion(case: dict, folder: Path):
    """The published loop without what it prints: product, loss where seen, backward, SGD."""
    import numpy as np
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    n = case["side"]
    read = lambda name: torch.from_numpy(np.fromfile(folder / f"{name}.bin", dtype="<f4").reshape(n, n).copy())
    at = torch.from_numpy(np.fromfile(folder / "seen.bin", dtype="<u4").astype(np.int64))
    us, vs = at // n, at % n
    first, second = read("first"), read("second")
    start = [read(f"weights-{layer}") for layer in range(case["depth"])]

    def work() -> dict:
        weights = [w.clone().requires_grad_(True) for w in start]
        optimizer = torch.optim.SGD(weights, lr=0.2)

        def product():
            out = weights[0]
            for w in weights[1:]:
                out = out @ w
            return out

        for target, steps in ((first, case["switch"]), (second, case["steps"])):
            wanted = target[us, vs]
            for _ in range(steps):
                loss = 0.5 * (product()[us, vs] - wanted).pow(2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        with torch.no_grad():
            return {"figure": float((product() - second).pow(2).mean())}

    return work


def close(tolerance: float):
    def same(ours: dict, theirs: dict) -> str | None:
        a, b = ours["figure"], theirs["figure"]
        return None if abs(a - b) <= tolerance * abs(b) else f"{a:.6g} against {b:.6g}"

    return same


def completion_case(switch: int, steps: int) -> dict:
    facts = {"side": 100, "depth": 3, "observed": 2000, "switch": switch, "steps": steps}
    return {"name": f"side 100, depth 3, {switch} + {steps} steps", **facts}


COMPARISONS = [
    Comparison(
        name="critical-periods-sweep",
        cases=[
            {
                "name": "4 depths, 40 onsets, 15 lengths, 8 modes, 1000 steps",
                "depths": [2, 3, 4, 6],
                "onsets": 40,
                "lengths": 15,
                "steps": 1000,
            }
        ],
        inputs=no_inputs,
        ours=ours_sweep,
        peers=[Peer("numpy", numpy_sweep, package="numpy")],
        bar=20.0,
        fair="The same steps of Euler's method in float64; NumPy runs all deficits of a depth as one array.",
        same=close(1e-9),
        crate="chiasm-net",
        threads=("1",),
        rounds=2,
        repeats=2,
    ),
    Comparison(
        name="deep-matrix-completion",
        cases=[completion_case(0, 2000), completion_case(0, 30_000)],
        inputs=matrices,
        ours=ours_completion,
        peers=[Peer("torch", torch_completion, package="torch", python=interpreter())],
        fair="The same matrices, entries, start and steps in float32; test losses, singular values and printing are left out.",
        # Rounding differs, and is amplified by the plateaus.
        same=close(0.05),
        crate="chiasm-net",
        threads=("1",),
        rounds=1,
        repeats=1,
    ),
]
