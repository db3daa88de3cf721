"""A layer of spiking neurons, forward and backward, beside SpikingJelly, snnTorch, Norse and Sinabs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from common import Comparison, Peer

HERE = Path(__file__).resolve().parent
TIME, BATCH, ACTIVE = 500, 16, 0.05
# 1 - 1/16: all sides have it exactly but Sinabs, which takes the logarithm of it.
LEAK = 0.9375


def interpreter() -> str:
    """The environment of requirements-spiking.txt, or another that is named; the scripts' own if there is none."""
    own = HERE / ".venv-spiking" / "bin" / "python"
    return os.environ.get("PEER_SPIKING_PYTHON") or (str(own) if own.exists() else sys.executable)


def inputs(case: dict, folder: Path) -> None:
    """Spikes [time, batch, neuron] as bytes and weights [in, out] as floats; some percent of the outputs are spikes."""
    import numpy as np

    n = case["n"]
    draw = np.random.default_rng(n)
    with open(folder / "spikes.bin", "wb") as file:
        for _ in range(TIME):
            (draw.random((BATCH, n), dtype=np.float32) < ACTIVE).tofile(file)
    # Inputs of mean 1/40 and standard deviation 1/4: a neuron's potential stays around 0.4 and crosses 1 now and then.
    sd = 0.25 / (n * ACTIVE * (1 - ACTIVE)) ** 0.5
    with open(folder / "weights.bin", "wb") as file:
        for _ in range(n):
            (sd * draw.standard_normal(n, dtype=np.float32) + 0.025 / (n * ACTIVE)).astype("<f4").tofile(file)


def ours(case: dict, folder: Path) -> list[str]:
    return ["peer_spiking_layer", str(folder), str(case["n"]), str(TIME), str(BATCH)]


def loaded(case: dict, folder: Path):
    """Spikes [time, batch, in] and weights as PyTorch's linear layer has them, [out, in]."""
    import numpy as np
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    n = case["n"]
    x = torch.from_numpy(np.fromfile(folder / "spikes.bin", dtype=np.uint8).reshape(TIME, BATCH, n)).float()
    w = torch.from_numpy(np.fromfile(folder / "weights.bin", dtype="<f4").reshape(n, n)).t().contiguous()
    linear = torch.nn.Linear(n, n, bias=False)
    linear.weight = torch.nn.Parameter(w)
    return x, linear


def layer(case: dict, folder: Path, make):
    """`make()` gives the neurons: from input [time, batch, neuron] to spikes of that shape or [batch, time, neuron]."""
    x, linear = loaded(case, folder)
    neurons, batch_first = make()
    if batch_first:
        x = x.transpose(0, 1).contiguous()

    def work() -> dict:
        import torch

        linear.weight.grad = None
        # One product for all steps is faster than one for each.
        spikes = neurons(linear(x))
        spikes.sum().backward()
        with torch.no_grad():
            gradient = linear.weight.grad
            n, some = case["n"], range(0, case["n"], case["n"] // 16)
            # [in, out], as ours.
            return {
                "spikes": int(spikes.sum(dtype=torch.float64)),
                "gradient": sum(float(rows.double().pow(2).sum()) for rows in gradient.split(64)) ** 0.5,
                "entries": [float(gradient[(7 * i + 3) % n, i]) for i in some],
            }

    return work


def atan(x, threshold=0.0):
    """The derivative that all sides give a spike, alpha = 2."""
    import torch

    return 1 / (1 + (torch.pi * (x - threshold)) ** 2)


def spikingjelly(case: dict, folder: Path):
    """All steps in one call (`step_mode="m"`)."""

    def make():
        from spikingjelly.activation_based import functional, neuron, surrogate

        node = neuron.LIFNode(
            tau=1 / (1 - LEAK),
            decay_input=False,
            v_threshold=1.0,
            v_reset=0.0,
            surrogate_function=surrogate.ATan(alpha=2.0),
            detach_reset=True,
            step_mode="m",
        )

        def run(x):
            functional.reset_net(node)
            return node(x)

        return run, False

    return layer(case, folder, make)


def snntorch(case: dict, folder: Path):
    """`Leaky` step by step: its parallel neurons have no reset."""

    def make():
        import snntorch as snn
        import torch
        from snntorch import surrogate

        node = snn.Leaky(beta=LEAK, threshold=1.0, spike_grad=surrogate.atan(alpha=2.0), reset_mechanism="zero")

        def run(x):
            v, out = torch.zeros_like(x[0]), []
            for now in x:
                spikes, v = node(now, v)
                out.append(spikes)
            return torch.stack(out)

        return run, False

    return layer(case, folder, make)


def norse(case: dict, folder: Path):
    """`LIFBoxCell`, the one without a synaptic current, step by step. Its step is `v + (i - v) / 16`, so it gets 16 times
    the input; its surrogate and its reset, which lets gradients through, are others, so only spikes compare."""

    def make():
        import torch
        from norse.torch import LIFBoxCell, LIFBoxParameters

        p = LIFBoxParameters(tau_mem_inv=torch.tensor(1000.0 * (1 - LEAK)), v_th=torch.tensor(1.0))
        node = LIFBoxCell(p, dt=0.001)

        def run(x):
            v, out = None, []
            for now in x * (1 / (1 - LEAK)):
                spikes, v = node(now, v)
                out.append(spikes)
            return torch.stack(out)

        return run, False

    work = layer(case, folder, make)
    return lambda: {"spikes": work()["spikes"]}


def sinabs(case: dict, folder: Path):
    """`LIF` of [batch, time, neuron], one spike a step at most."""

    def make():
        import math

        import sinabs.layers
        from sinabs.activation import MembraneReset, SingleSpike

        node = sinabs.layers.LIF(
            tau_mem=-1 / math.log(LEAK),
            spike_fn=SingleSpike,
            reset_fn=MembraneReset(),
            surrogate_grad_fn=atan,
            norm_input=False,
        )
        node.tau_mem.requires_grad_(False)

        def run(x):
            node.reset_states()
            return node(x)

        return run, True

    return layer(case, folder, make)


def products(case: dict, folder: Path):
    """The two dense products alone: inputs by weights, and inputs by a gradient that is there already."""
    import torch

    x, linear = loaded(case, folder)
    n = case["n"]
    x, w, gradient = x.reshape(-1, n), linear.weight.detach(), torch.ones(TIME * BATCH, n)

    def work() -> dict:
        forward = x @ w.t()
        backward = gradient.t() @ x
        return {"sums": float(forward[-1, -1]), "active": float(backward[-1, -1])}

    return work


def same(ours: dict, theirs: dict) -> str | None:
    """Rounding moves a spike now and then, and with it what follows; an error of an equation would move them all."""
    if "spikes" not in theirs:
        return None
    a, b = ours["spikes"], theirs["spikes"]
    if not abs(a - b) <= 1e-4 * b:
        return f"{a} spikes against {b}"
    if "gradient" not in theirs:
        return None
    a, b = ours["gradient"], theirs["gradient"]
    if not abs(a - b) <= 1e-3 * b:
        return f"norm of the weights' gradient {a:.6g} against {b:.6g}"
    apart = max(abs(a - b) for a, b in zip(ours["entries"], theirs["entries"], strict=True))
    largest = max(map(abs, theirs["entries"]))
    return None if apart <= 1e-2 * largest else f"entries of the gradient differ by {apart:.3g} of {largest:.3g}"


PYTHON = interpreter()
PEERS = [
    Peer("spikingjelly", spikingjelly, package="spikingjelly", python=PYTHON),
    Peer("snntorch", snntorch, package="snntorch", python=PYTHON),
    Peer("norse", norse, package="norse", python=PYTHON),
    Peer("sinabs", sinabs, package="sinabs", python=PYTHON),
]
DENSE = Peer("dense-products", products, package="torch", python=PYTHON)
FAIR = (
    f"A linear layer of N inputs and N neurons without bias, {TIME} steps of a batch of {BATCH}, {ACTIVE:.0%} of the inputs "
    "active, forward and backward (gradient of the weights) of the number of spikes. Both sides get the same dense tensor of "
    "ones and zeros and the same weights; what ours makes of the zeros is within the time. Leaky integrate-and-fire with a "
    "leak of 15/16, detached reset to 0 and the arctangent's surrogate on all sides (Norse: its own surrogate and reset). "
)
ALONE = "The peer does the layer's two dense products alone, and no neurons."


def comparison(name: str, sizes: list[int], peers: list[Peer], bar: float | None, **more) -> Comparison:
    return Comparison(
        name=name,
        cases=[{"name": f"N = {n}", "n": n} for n in sizes],
        inputs=inputs,
        ours=ours,
        peers=peers,
        bar=bar,
        same=same,
        crate="chiasm-net",
        **more,
    )


COMPARISONS = [
    comparison("spiking-layer", [512], PEERS, 4.0, fair=FAIR, threads=("1", "2"), rounds=2, repeats=3),
    comparison("spiking-layer-wide", [4096], PEERS, 3.0, fair=FAIR, threads=("1", "2"), rounds=1, repeats=1),
    comparison(
        "spiking-layer-widest",
        [16384],
        # The two fastest at 4096: the others take minutes and tens of GiB.
        PEERS[:2],
        None,
        fair=FAIR,
        threads=("2",),
        rounds=1,
        repeats=1,
    ),
    comparison(
        "spiking-layer-products",
        [512, 4096],
        [DENSE],
        1.0,
        fair=FAIR + ALONE,
        threads=("1", "2"),
        rounds=1,
        repeats=2,
    ),
    comparison(
        "spiking-layer-widest-products",
        [16384],
        [DENSE],
        1.0,
        fair=FAIR + ALONE,
        threads=("2",),
        rounds=1,
        repeats=1,
    ),
]
