"""A training step of a network with learned delays beside the published code's parts: DCLS and SpikingJelly."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from common import Comparison, Peer

HERE = Path(__file__).resolve().parent
# The layout of the published network for Spiking Heidelberg Digits, in a batch that fits small machines.
SAMPLES, TIME, CHANNELS, HIDDEN, CLASSES, TAPS = 64, 100, 140, 256, 20, 25
ACTIVE, LEAK_TAU, ALPHA = 0.03, 1.005, 5.0


def interpreter() -> str:
    """An environment with torch, DCLS and SpikingJelly that is named; that of requirements-spiking.txt; the scripts' own."""
    own = HERE / ".venv-spiking" / "bin" / "python"
    return os.environ.get("PEER_SPIKING_PYTHON") or (str(own) if own.exists() else sys.executable)


def sizes() -> list[tuple[int, int]]:
    return [(CHANNELS, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, CLASSES)]


def inputs(case: dict, folder: Path) -> None:
    """Spikes [sample, time, channel] and labels as bytes; weights and positions [in, out] as floats."""
    import numpy as np

    draw = np.random.default_rng(45)
    (draw.random((SAMPLES, TIME, CHANNELS)) < ACTIVE).tofile(folder / "spikes.bin")
    draw.integers(0, CLASSES, SAMPLES, dtype=np.uint8).tofile(folder / "labels.bin")
    for layer, (n_in, n_out) in enumerate(sizes()):
        bound = (6 / n_in) ** 0.5
        draw.uniform(-bound, bound, (n_in, n_out)).astype("<f4").tofile(folder / f"weights-{layer}.bin")
        half = TAPS // 2
        draw.uniform(-half, half, (n_in, n_out)).astype("<f4").tofile(folder / f"positions-{layer}.bin")


def ours(case: dict, folder: Path) -> list[str]:
    numbers = [SAMPLES, TIME, CHANNELS, HIDDEN, CLASSES, TAPS, case["sigma"]]
    return ["peer_delays", str(folder), *map(str, numbers)]


def dcls(case: dict, folder: Path):
    """`Dcls1d(version="gauss")`, BatchNorm1d and `LIFNode(step_mode="m")`, as the published model has them."""
    import numpy as np
    import torch
    from DCLS.construct.modules import Dcls1d
    from spikingjelly.activation_based import functional, neuron, surrogate

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    spikes = np.fromfile(folder / "spikes.bin", dtype=np.uint8).reshape(SAMPLES, TIME, CHANNELS)
    labels = torch.from_numpy(np.fromfile(folder / "labels.bin", dtype=np.uint8).astype(np.int64))
    # [time, sample, channel]
    x = torch.from_numpy(spikes).float().permute(1, 0, 2).contiguous()

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.delays = torch.nn.ModuleList()
            self.norms = torch.nn.ModuleList()
            self.neurons = torch.nn.ModuleList()
            for layer, (n_in, n_out) in enumerate(sizes()):
                d = Dcls1d(n_in, n_out, kernel_count=1, groups=1, dilated_kernel_size=TAPS, bias=False, version="gauss")
                read = lambda name: torch.from_numpy(np.fromfile(folder / f"{name}-{layer}.bin", dtype="<f4"))
                with torch.no_grad():
                    d.weight.copy_(read("weights").reshape(n_in, n_out).t().reshape(d.weight.shape))
                    d.P.copy_(read("positions").reshape(n_in, n_out).t().reshape(d.P.shape))
                    d.SIG.fill_(case["sigma"])
                d.SIG.requires_grad_(False)
                self.delays.append(d)
                last = layer == len(sizes()) - 1
                if not last:
                    self.norms.append(torch.nn.BatchNorm1d(n_out))
                self.neurons.append(
                    neuron.LIFNode(
                        tau=LEAK_TAU,
                        v_threshold=1e9 if last else 1.0,
                        surrogate_function=surrogate.ATan(alpha=ALPHA),
                        detach_reset=True,
                        decay_input=False,
                        step_mode="m",
                        store_v_seq=last,
                    )
                )

        def forward(self, x):
            n_spikes = 0
            for layer, d in enumerate(self.delays):
                # [sample, channel, time], padded as the published code does.
                y = torch.nn.functional.pad(x.permute(1, 2, 0), (TAPS - 1, (TAPS - 1) // 2), "constant", 0)
                y = d(y)
                if layer < len(self.norms):
                    y = self.norms[layer](y)
                y = y.permute(2, 0, 1).contiguous()
                x = self.neurons[layer](y)
                if layer < len(self.norms):
                    n_spikes += float(x.detach().sum())
            return self.neurons[-1].v_seq, n_spikes

    network = Network().train()
    positions = [d.P for d in network.delays]
    weights = [d.weight for d in network.delays]
    norms = [p for n in network.norms for p in n.parameters()]
    groups = [{"params": weights, "weight_decay": 1e-5}, {"params": norms, "weight_decay": 0.0}]
    optimizers = [torch.optim.Adam(groups, lr=2e-4), torch.optim.Adam(positions, lr=0.1)]
    first: dict = {}

    def step() -> dict:
        functional.reset_net(network)
        for o in optimizers:
            o.zero_grad()
        v, n_spikes = network(x)
        m = torch.softmax(v, dim=2).sum(0)
        loss = torch.nn.functional.cross_entropy(m, labels)
        loss.backward()
        for o in optimizers:
            o.step()
        with torch.no_grad():
            for p in positions:
                p.clamp_(-(TAPS // 2), TAPS // 2)
        first.setdefault("loss", float(loss.detach()))
        first.setdefault("spikes", n_spikes / SAMPLES / (2 * HIDDEN))
        return dict(first)

    return step


def same(ours: dict, theirs: dict) -> str | None:
    """Before the first step both have the same network: rounding moves a spike now and then."""
    for name, within in [("loss", 0.01), ("spikes", 0.001)]:
        a, b = ours[name], theirs[name]
        if not abs(a - b) <= within * abs(b):
            return f"{name} of the first step {a:.6g} against {b:.6g}"
    return None


COMPARISONS = [
    Comparison(
        name="delays",
        cases=[
            {"name": "wide kernels (sigma 12)", "sigma": 12.0},
            {"name": "narrow kernels (sigma 0.23)", "sigma": 0.23},
        ],
        inputs=inputs,
        ours=ours,
        peers=[Peer("dcls", dcls, package="DCLS", python=interpreter())],
        bar=None,
        same=same,
        crate="chiasm-net",
        fair=(
            f"One step of training (forward, backward, both optimizers) of {CHANNELS} inputs, two hidden layers of {HIDDEN} and "
            f"{CLASSES} classes, kernels of {TAPS} taps, a batch of {SAMPLES} samples of {TIME} steps with {ACTIVE:.0%} of the "
            "inputs active, without dropout. Same weights and positions at the start, whose loss and spikes are compared. The peer "
            "is the published model's parts: DCLS's Gaussian kernels and a dense convolution, SpikingJelly's neurons."
        ),
        threads=("1", "2"),
        rounds=1,
        repeats=3,
    )
]
