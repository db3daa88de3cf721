"""Training steps of networks on arrays beside PyTorch: perceptrons small and large, and a causal transformer."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from common import HERE, Comparison, Peer


def interpreter() -> str:
    """An environment with torch that is named; that of requirements-spiking.txt; the scripts' own."""
    own = HERE / ".venv-spiking" / "bin" / "python"
    return os.environ.get("PEER_SPIKING_PYTHON") or (str(own) if own.exists() else sys.executable)


# An array's shape, and the deviation of its start; None for a gain, which begins at 1.
Array = tuple[tuple[int, int], float | None]


def perceptron_arrays(sizes: list[int]) -> list[Array]:
    """In our order: weights `[in, out]`, biases `[1, out]`."""
    pairs = zip(sizes, sizes[1:])
    return [array for n, m in pairs for array in (((n, m), (2 / n) ** 0.5), ((1, m), 0.0))]


def transformer_arrays(sizes: list[int]) -> list[Array]:
    """Embedding, positions; per block norm, queries keys values, projection, norm, two dense layers; the last norm."""
    vocabulary, d, blocks, _heads, span = sizes
    norm = [((1, d), None), ((1, d), 0.0)]
    weight = lambda n, m: ((n, m), 0.02)
    block = [*norm, weight(d, 3 * d), weight(d, d), ((1, d), 0.0), *norm]
    block += [weight(d, 4 * d), ((1, 4 * d), 0.0), weight(4 * d, d), ((1, d), 0.0)]
    return [weight(vocabulary, d), weight(span, d), *block * blocks, *norm]


def arrays_of(case: dict) -> list[Array]:
    return (perceptron_arrays if case["kind"] == "perceptron" else transformer_arrays)(case["sizes"])


def inputs(case: dict, folder: Path) -> None:
    """Weights at the start, and as many samples as there are steps of a batch."""
    import numpy as np

    draw = np.random.default_rng(22)
    sizes = case["sizes"]
    for i, (shape, sd) in enumerate(arrays_of(case)):
        values = np.ones(shape) if sd is None else sd * draw.standard_normal(shape)
        values.astype("<f4").tofile(folder / f"weights-{i}.bin")
    n = case["batch"] * case["steps"]
    if case["kind"] == "perceptron":
        x = draw.normal(size=(n, sizes[0])).astype("<f4")
        labels = (x @ draw.normal(size=(sizes[0], sizes[-1]))).argmax(axis=1)
    else:
        vocabulary, span = sizes[0], sizes[4]
        tokens = (draw.zipf(1.3, size=(n, span + 1)) - 1) % vocabulary
        x, labels = tokens[:, :-1], tokens[:, 1:]
    x.astype("<f4").tofile(folder / "x.bin")
    labels.astype("<f4").tofile(folder / "labels.bin")


def ours(case: dict, folder: Path) -> list[str]:
    sizes = ",".join(map(str, case["sizes"]))
    return ["peer_training", case["kind"], str(folder), sizes, str(case["batch"]), str(case["steps"]), str(case["rate"])]


def torch_training(case: dict, folder: Path):
    """Eager PyTorch at its best: linear layers, scaled_dot_product_attention, fused Adam."""
    import numpy as np
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    sizes, kind = case["sizes"], case["kind"]
    arrays = []
    for i, (shape, _sd) in enumerate(arrays_of(case)):
        values = np.fromfile(folder / f"weights-{i}.bin", dtype="<f4").reshape(shape)
        arrays.append(torch.from_numpy(values.copy()))

    class Block(nn.Module):
        def __init__(self, d: int, heads: int):
            super().__init__()
            self.heads = heads
            self.first, self.second = nn.LayerNorm(d), nn.LayerNorm(d)
            self.qkv, self.out = nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d)
            self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

        def forward(self, x):
            n, span, d = x.shape
            q, k, v = (
                part.view(n, span, self.heads, d // self.heads).transpose(1, 2)
                for part in self.qkv(self.first(x)).chunk(3, dim=-1)
            )
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(mixed.transpose(1, 2).reshape(n, span, d))
            return x + self.down(F.gelu(self.up(self.second(x)), approximate="tanh"))

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            vocabulary, d, blocks, heads, span = sizes
            self.tokens, self.places = nn.Embedding(vocabulary, d), nn.Embedding(span, d)
            self.blocks = nn.Sequential(*(Block(d, heads) for _ in range(blocks)))
            self.last = nn.LayerNorm(d)

        def forward(self, x):
            h = self.blocks(self.tokens(x) + self.places.weight)
            return F.linear(self.last(h), self.tokens.weight)

    def build() -> nn.Module:
        if kind == "perceptron":
            layers = []
            for n, m in zip(sizes, sizes[1:]):
                layers += [nn.Linear(n, m), nn.ReLU()]
            model = nn.Sequential(*layers[:-1])
            for parameter, array in zip(model.parameters(), arrays):
                # Weights lie [out, in] there; a bias is a row here.
                parameter.data = (array.T if parameter.dim() == 2 else array[0]).contiguous().clone()
            return model
        model = Transformer()
        slots = [(model.tokens, "table"), (model.places, "table")]
        for b in model.blocks:
            slots += [(b.first, "norm"), (b.qkv, ""), (b.out, ""), (b.second, "norm"), (b.up, ""), (b.down, "")]
        slots.append((model.last, "norm"))
        left = iter(arrays)
        for module, what in slots:
            weight = next(left)
            weight = weight if what == "table" else weight[0] if what == "norm" else weight.T
            module.weight.data = weight.contiguous().clone()
            if getattr(module, "bias", None) is not None:
                module.bias.data = next(left)[0].clone()
        return model

    n, batch = case["batch"] * case["steps"], case["batch"]
    x = np.fromfile(folder / "x.bin", dtype="<f4")
    labels = torch.from_numpy(np.fromfile(folder / "labels.bin", dtype="<f4").astype(np.int64))
    if kind == "perceptron":
        x = torch.from_numpy(x.reshape(n, sizes[0]))
    else:
        x = torch.from_numpy(x.astype(np.int64).reshape(n, sizes[4]))
        labels = labels.view(n, sizes[4])
    model = build()
    optimizer = torch.optim.Adam(model.parameters(), lr=case["rate"], fused=True)

    losses: list[float] = []

    def work() -> dict:
        """The next epoch: moments and memory are there from the one before. Later losses depend on the order of samples."""
        order = torch.randperm(n)
        total = 0.0
        for step in range(case["steps"]):
            chosen = order[step * batch : (step + 1) * batch]
            y = model(x[chosen])
            loss = F.cross_entropy(y.flatten(0, -2), labels[chosen].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / case["steps"])
        return {"loss": losses[0], "parameters": sum(p.numel() for p in model.parameters())}

    return work


def same(ours: dict, theirs: dict) -> str | None:
    if ours["parameters"] != theirs["parameters"]:
        return f"{ours['parameters']} parameters against {theirs['parameters']}"
    a, b = ours["loss"], theirs["loss"]
    return None if abs(a - b) <= 0.03 * abs(b) else f"loss {a:.4g} against {b:.4g}"


def case(kind: str, sizes: list[int], batch: int, steps: int, rate: float = 1e-3) -> dict:
    name = f"{kind} {'-'.join(map(str, sizes))}, batch {batch}, {steps} steps"
    return {"name": name, "kind": kind, "sizes": sizes, "batch": batch, "steps": steps, "rate": rate}


FAIR = (
    "Same start, samples and Adam in float32, epoch after epoch of one training, of which the first is not timed; each side "
    "draws its own order of the samples, so losses of the first agree to 3 %. "
    "PyTorch runs eagerly, with fused Adam and scaled_dot_product_attention; torch.compile is left out."
)

COMPARISONS = [
    Comparison(
        name="training-small",
        cases=[
            case("perceptron", [20, 64, 64, 10], 32, 2000),
            case("perceptron", [100, 200, 200, 10], 64, 500),
        ],
        inputs=inputs,
        ours=ours,
        peers=[Peer("torch", torch_training, package="torch", python=interpreter())],
        bar=3.0,
        fair=FAIR,
        same=same,
        crate="chiasm-net",
        threads=("1",),
    ),
    Comparison(
        name="training-large",
        # At 1e-3 its first steps overshoot, and the loss depends on the order of the samples more than on anything else.
        cases=[case("perceptron", [784, 2048, 2048, 2048, 10], 128, 20, rate=1e-4)],
        inputs=inputs,
        ours=ours,
        peers=[Peer("torch", torch_training, package="torch", python=interpreter())],
        bar=1.0,
        fair=FAIR,
        same=same,
        crate="chiasm-net",
        threads=("1",),
    ),
    Comparison(
        name="training-transformer",
        cases=[case("transformer", [1024, 64, 2, 4, 128], 16, 20)],
        inputs=inputs,
        ours=ours,
        peers=[Peer("torch", torch_training, package="torch", python=interpreter())],
        bar=1.0,
        fair=FAIR + " Scores are scaled on both sides: the peer's fused attention has no other form.",
        same=same,
        crate="chiasm-net",
        threads=("1",),
    ),
]
