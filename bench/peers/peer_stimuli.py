"""Most discriminative stimuli beside openretina's `ContrastiveNeuronObjective` and `optimize_stimulus`."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from pathlib import Path

from common import Comparison, Peer

# PyTorch is large: it is not in requirements.txt. The environment's own if it is there, or else the system's
# (Debian: python3-torch), which then takes openretina, pure Python, from the environment.
PYTHON = sys.executable if importlib.util.find_spec("torch") else "/usr/bin/python3"
os.environ.setdefault("PEER_PACKAGES", sysconfig.get_paths()["purelib"])


def inputs(case: dict, folder: Path) -> None:
    """Linear-nonlinear neurons of random types: filters, gains, offsets, reference responses, labels, start."""
    import numpy as np

    if "kind" in case:
        return
    rng = np.random.default_rng(0)
    n, k, p, norm = case["neurons"], case["types"], case["pixels"], case["norm"]

    def unit(x):
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    labels = np.arange(n) % k
    # Types overlap: a part of each prototype is common to all.
    prototypes = unit(unit(rng.standard_normal((k, p))) + 0.7 * unit(rng.standard_normal((1, p))))
    filters = unit(prototypes[labels] + 0.5 / np.sqrt(p) * rng.standard_normal((n, p)))
    gains, offsets = rng.uniform(0.5, 2.0, n), np.full(n, -1.0)
    images = norm * unit(rng.standard_normal((200, p)))
    reference = np.logaddexp(0, gains * (images @ filters.T) + offsets)
    start = norm * unit(rng.standard_normal((k, p)))
    arrays = dict(filters=filters, gains=gains, offsets=offsets, reference=reference, start=start)
    np.savez(folder / "model.npz", labels=labels, **{n: a.astype("f4") for n, a in arrays.items()})


def ours(case: dict, folder: Path) -> list[str]:
    if "kind" in case:
        numbers = [str(case[key]) for key in ("types", "per_type", "side", "frames")]
        return ["peer_stimuli", "cluster", case["kind"], *numbers]
    numbers = [str(case[key]) for key in ("steps", "rate", "norm")]
    return ["peer_stimuli", "ascent", str(folder / "model.npz"), *numbers]


def openretina(case: dict, folder: Path):
    import numpy as np
    import torch

    sys.path.append(os.environ["PEER_PACKAGES"])
    from openretina.insilico.stimulus_optimization.objective import ContrastiveNeuronObjective, MeanReducer
    from openretina.insilico.stimulus_optimization.optimization_stopper import OptimizationStopper
    from openretina.insilico.stimulus_optimization.optimizer import optimize_stimulus

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    file = np.load(folder / "model.npz")
    arrays = {name: torch.from_numpy(file[name].astype("f4")) for name in file.files if name != "labels"}
    labels = file["labels"]
    subtract = arrays["reference"].mean(0)
    divide = arrays["reference"].std(0, unbiased=False).clamp(min=0.1) + 1e-6

    def model(stimulus):
        """Z-scored scores as [batch, time, neuron]: one time, since a linear model sees the whole stimulus."""
        drive = arrays["gains"] * (stimulus @ arrays["filters"].T) + arrays["offsets"]
        return ((torch.nn.functional.softplus(drive) - subtract) / divide)[:, None]

    class Norm:
        def process(self, x):
            return x / x.norm() * case["norm"]

    members = [np.flatnonzero(labels == t).tolist() for t in range(case["types"])]

    def timed():
        values = []
        for t, own in enumerate(members):
            stimulus = arrays["start"][t : t + 1].clone().requires_grad_(True)
            others = [m for s, m in enumerate(members) if s != t]
            objective = ContrastiveNeuronObjective(model, own, others, None, MeanReducer(axis=0))
            optimize_stimulus(
                stimulus,
                lambda parameters: torch.optim.SGD(parameters, lr=case["rate"]),
                objective,
                OptimizationStopper(case["steps"]),
                stimulus_postprocessor=Norm(),
            )
            with torch.no_grad():
                values.append(float(objective.forward(stimulus)))
        return {"objective": values}

    return timed


def same(ours: dict, theirs: dict) -> str | None:
    pairs = list(zip(ours["objective"], theirs["objective"], strict=True))
    worst = max(abs(a - b) for a, b in pairs)
    return None if worst < 2e-3 else f"objectives differ by up to {worst:.2g}"


def case(neurons: int, types: int, pixels: int, norm: float, rate: float, steps: int) -> dict:
    name = f"{neurons} neurons, {types} clusters, {pixels} pixels"
    return dict(name=name, neurons=neurons, types=types, pixels=pixels, norm=norm, rate=rate, steps=steps)


COMPARISONS = [
    Comparison(
        name="stimuli",
        cases=[case(96, 8, 324, 6.0, 0.5, 50), case(1000, 32, 6000, 30.0, 2.0, 20)],
        inputs=inputs,
        ours=ours,
        peers=[Peer("openretina", openretina, package="openretina", python=PYTHON)],
        fair="Same linear-nonlinear neurons, same starts, same plain gradient steps to a fixed norm, both in float32, and"
        " the objectives reached must agree. openretina makes one stimulus at a time, as it offers no other way; we make"
        " those of all clusters at once.",
        same=same,
        crate="chiasm-probe",
    ),
    Comparison(
        name="stimuli-clustering",
        cases=[dict(name="96 neurons, 8 types, images", kind="images", types=8, per_type=12, side=18, frames=1)],
        inputs=inputs,
        ours=ours,
        peers=[],
        most_s=60.0,
        most_mib=1024.0,
        fair="A whole clustering with its split stage, neurons held out, from three times as many clusters as there are"
        " types. No peer offers the clustering.",
        crate="chiasm-probe",
        rounds=1,
        repeats=1,
    ),
    Comparison(
        name="stimuli-clustering-movies",
        cases=[dict(name="992 neurons, 32 types, 20 x 20 x 15 movies", kind="movies", types=32, per_type=31, side=20, frames=15)],
        inputs=inputs,
        ours=ours,
        peers=[],
        most_s=600.0,
        most_mib=2048.0,
        fair="As above, on movies.",
        crate="chiasm-probe",
        threads=("all",),
        rounds=1,
        repeats=1,
    ),
]
