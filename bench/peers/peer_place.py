#!/usr/bin/env python3
"""A place-recognition module beside Brian2: the same network, trained on the same images.

The authors' code builds this network in Brian2's runtime mode (weights are scaled between images in Python), so that is
what is compared. Further rows: the training bars, and the cost of a query against the number of modules.
"""

from __future__ import annotations

import os
from pathlib import Path

from common import HERE, Comparison, Peer

# Brian2 has an environment of its own: see peer_circuit.py.
PYTHON = os.environ.get("PEER_CIRCUIT_PYTHON", str(HERE / ".venv-circuit" / "bin" / "python"))


def images(n: int):
    """Smooth random images whose grey levels are spread as those of patch-normalized photographs."""
    import numpy as np

    rng = np.random.default_rng(0)
    noise = rng.standard_normal((n, 28, 28))
    for axis in (1, 2):
        noise = sum(np.roll(noise, shift, axis) for shift in (-1, 0, 1))
    deviation = noise.std(axis=(1, 2), keepdims=True)
    return np.floor(127.5 * (1 + np.clip(noise / deviation, -1, 1)))


def inputs(case: dict, folder: Path) -> None:
    import numpy as np

    np.savez(folder / "images.npz", images=images(case["images"]))


def ours(case: dict, folder: Path) -> list[str]:
    numbers = [case["n_e"], case["dt_ms"], case["number"]]
    return ["peer_place", case["job"], str(folder / "images.npz"), *map(str, numbers)]


def brian2(case: dict, folder: Path):
    import brian2 as b
    import numpy as np

    b.prefs.codegen.target = "cython"
    b.prefs.core.default_float_dtype = np.float64
    ms, mV, Hz = b.ms, b.mV, b.Hz
    b.defaultclock.dt = case["dt_ms"] * ms
    stack = np.load(folder / "images.npz")["images"].reshape(case["images"], 784)
    n = case["n_e"]

    def network():
        b.start_scope()
        b.seed(1)
        pixels = b.PoissonGroup(784, rates=np.zeros(784) * Hz, name="pixels")
        exc = b.NeuronGroup(
            n,
            """dv/dt = ((-65*mV - v) + ge*(0*mV - v) + gi*(-100*mV - v))/(100*ms) : volt (unless refractory)
            dge/dt = -ge/(1.0*ms) : 1
            dgi/dt = -gi/(2.0*ms) : 1
            dtheta/dt = -theta/(1e7*ms) : volt
            dtimer/dt = 0.1 : second""",
            threshold="(v > theta - 20*mV - 52*mV) and (timer > 5*ms)",
            reset="v = -65*mV\ntheta += 0.05*mV\ntimer = 0*ms",
            refractory=5 * ms,
            method="euler",
            name="exc",
        )
        inh = b.NeuronGroup(
            n,
            """dv/dt = ((-60*mV - v) + ge*(0*mV - v))/(10*ms) : volt (unless refractory)
            dge/dt = -ge/(1.0*ms) : 1""",
            threshold="v > -40*mV",
            reset="v = -45*mV",
            refractory=2 * ms,
            method="euler",
            name="inh",
        )
        exc.v, inh.v, exc.theta = -105 * mV, -100 * mV, 20 * mV
        learned = b.Synapses(
            pixels,
            exc,
            """w : 1
            dx/dt = -x/(20*ms) : 1 (event-driven)
            dy1/dt = -y1/(20*ms) : 1 (event-driven)
            dy2/dt = -y2/(40*ms) : 1 (event-driven)""",
            on_pre="ge += w\nx = 1.\nw = clip(w + 0.0001*y1, 0, 1)",
            on_post="w = clip(w + 0.01*x*y2, 0, 1)\ny1 = 1.\ny2 = 1.",
            name="learned",
        )
        learned.connect()
        learned.w = "0.3*(rand() + 0.01)"
        learned.pre.delay = "rand()*10*ms"
        partners = b.Synapses(exc, inh, on_pre="ge += 10.4", name="partners")
        partners.connect(j="i")
        others = b.Synapses(inh, exc, on_pre="gi += 17.0", name="others")
        others.connect("i != j")
        monitor = b.SpikeMonitor(exc, record=False)
        net = b.Network(pixels, exc, inh, learned, partners, others, monitor)
        net.run(500 * ms)
        return net, pixels, exc, learned, monitor

    def present(net, pixels, learned, image):
        # Synapses are made source by source, so the weights are a matrix [pixel, neuron].
        weights = np.array(learned.w).reshape(784, n)
        learned.w = (weights * (78.0 / weights.sum(axis=0))).ravel()
        pixels.rates = image / 4 * Hz
        net.run(350 * ms)
        pixels.rates = np.zeros(784) * Hz
        net.run(150 * ms)

    # Building the network and compiling are not counted, on neither side.
    net, pixels, exc, learned, monitor = network()
    present(net, pixels, learned, stack[0])
    net.store()

    def work() -> dict:
        net.restore()
        before = int(monitor.num_spikes)
        epochs = -(-case["number"] // case["images"])
        for _ in range(epochs):
            for image in stack:
                present(net, pixels, learned, image)
        presentations = epochs * case["images"]
        spikes = (int(monitor.num_spikes) - before) / presentations
        theta = float(np.mean(exc.theta / mV))
        return {"presentations": presentations, "theta_mv": theta, "spikes": spikes}

    return work


def same(ours: dict, theirs: dict) -> str | None:
    """Spikes for each presentation, of networks that are drawn anew by each side."""
    a, b = ours["spikes"], theirs["spikes"]
    return None if abs(a - b) <= 0.1 * b else f"{a:.1f} spikes a presentation against {b:.1f}"


def case(job: str, n_e: int, dt_ms: float, number: int, n_images: int) -> dict:
    what = f"{number} presentations" if job == "train" else f"20 queries, {number} modules"
    facts = {"job": job, "n_e": n_e, "dt_ms": dt_ms, "number": number, "images": n_images}
    return {"name": f"{what}, {n_e} neurons, {dt_ms} ms", **facts}


FAIR = (
    "The same equations, step, Euler integration, delays, plasticity and scaling between images; weights, delays and "
    "Poisson spikes are drawn anew by each side. Brian2 runs as the authors' code runs it: runtime mode, Cython. "
    "Building and compiling are not counted."
)
COMPARISONS = [
    Comparison(
        name="place-training",
        cases=[case("train", 100, 0.25, 10, 10), case("train", 400, 0.1, 5, 5)],
        inputs=inputs,
        ours=ours,
        peers=[Peer("brian2", brian2, package="Brian2", python=PYTHON)],
        fair=FAIR,
        same=same,
        crate="chiasm-circuit",
        threads=("1",),
        rounds=1,
        repeats=2,
    ),
    Comparison(
        name="place-training-bar",
        cases=[case("train", 100, 0.25, 800, 50)],
        inputs=inputs,
        ours=ours,
        peers=[],
        most_s=15.0,
        fair="Ours alone: one module of 100 neurons, 800 presentations.",
        crate="chiasm-circuit",
        threads=("1",),
        rounds=1,
        repeats=1,
    ),
    Comparison(
        name="place-training-bar-paper",
        cases=[case("train", 400, 0.1, 1500, 50)],
        inputs=inputs,
        ours=ours,
        peers=[],
        most_s=300.0,
        fair="Ours alone: one module of the paper's size, 1,500 presentations.",
        crate="chiasm-circuit",
        threads=("1",),
        rounds=1,
        repeats=1,
    ),
    Comparison(
        name="place-query",
        cases=[case("query", 100, 0.25, n, 20) for n in (1, 10, 100)] + [case("query", 400, 0.1, 100, 20)],
        inputs=inputs,
        ours=ours,
        peers=[],
        fair="Ours alone: untrained modules, whose cost is that of trained ones.",
        crate="chiasm-circuit",
        threads=("1", "2"),
        rounds=1,
        repeats=1,
    ),
]
