"""Non-negative tensor factorization beside tensorly's `non_negative_parafac_hals`."""

from __future__ import annotations

import struct
from pathlib import Path

from common import Comparison, Peer


def inputs(case: dict, folder: Path) -> None:
    """A tensor of planted rank with noise, as frames x pairs x animals in f32; for us with entries hidden."""
    import numpy as np

    rng = np.random.default_rng(0)
    shape = (case["frames"], case["pairs"], case["animals"])
    planted = [rng.random((n, case["rank"])) * (rng.random((n, case["rank"])) > 0.5) for n in shape]
    x = np.einsum("tr,pr,wr->tpw", *planted, optimize=True)
    x = x.astype("<f4")
    x += np.float32(0.5 * x.mean(dtype="f8")) * rng.random(shape, dtype="f4")
    write(folder / "tensor.bin", x)
    if hidden := case.get("hidden"):
        x[rng.random(shape, dtype="f4") < hidden] = np.nan
        write(folder / "hidden.bin", x)
    if hidden := case.get("hidden_pairs"):
        # As where an animal lacks neurons.
        x[:, rng.random(shape[1:]) < hidden] = np.nan
        write(folder / "hidden.bin", x)


def write(path: Path, x) -> None:
    with open(path, "wb") as file:
        file.write(struct.pack("<3Q", *x.shape))
        x.tofile(file)


def ours(case: dict, folder: Path) -> list[str]:
    name = "hidden.bin" if "hidden" in case or "hidden_pairs" in case else "tensor.bin"
    numbers = [str(case[key]) for key in ("rank", "sweeps", "starts")]
    return ["peer_ntf", str(folder / name), *numbers, "single"]


def stored(path: Path):
    import numpy as np

    with open(path, "rb") as file:
        shape = struct.unpack("<3Q", file.read(24))
        return np.frombuffer(file.read(), dtype="<f4").reshape(shape)


def tensorly(case: dict, folder: Path):
    import numpy as np
    from tensorly.decomposition import non_negative_parafac_hals

    x = stored(folder / "tensor.bin")
    # In f8: a sum of millions of squares in f4 is off by more than the errors compared.
    norm = float(np.sqrt(sum(np.sum(frame.astype("f8") ** 2) for frame in x)))

    def one(seed: int) -> float:
        weights, factors = non_negative_parafac_hals(
            x, rank=case["rank"], n_iter_max=case["sweeps"], init="random", tol=0, random_state=seed
        )
        a, b, c = (np.asarray(f, dtype="f8") for f in factors)
        w = np.asarray(weights, dtype="f8")
        inner = np.einsum("tpw,tr->rpw", x, a, optimize=True)
        inner = np.einsum("rpw,pr,wr,r->", inner, b, c, w, optimize=True)
        model = w @ ((a.T @ a) * (b.T @ b) * (c.T @ c)) @ w
        return float(np.sqrt(max(norm**2 - 2 * inner + model, 0.0)) / norm)

    def work() -> dict:
        return {"relative_error": min(one(seed) for seed in range(case["starts"]))}

    return work


def tensortools(case: dict, folder: Path):
    """With its mask. It fills what is hidden after each of the three modes, in f8."""
    import warnings

    import numpy as np
    import tensortools

    warnings.filterwarnings("ignore")
    x = stored(folder / "hidden.bin").astype("f8")
    shown = ~np.isnan(x)
    norm = float(np.linalg.norm(x[shown]))
    filled = np.where(shown, x, 0.0)

    def one(seed: int) -> float:
        fitted = tensortools.ncp_hals(
            filled,
            rank=case["rank"],
            mask=shown,
            random_state=seed,
            # It sweeps once more than this, and stops early where it gains less than the tolerance.
            max_iter=case["sweeps"] - 1,
            tol=-np.inf,
            verbose=False,
        )
        assert fitted.iterations == case["sweeps"], fitted.iterations
        return float(np.linalg.norm((x - fitted.factors.full())[shown]) / norm)

    def work() -> dict:
        return {"relative_error": min(one(seed) for seed in range(case["starts"]))}

    return work


def same(ours: dict, theirs: dict) -> str | None:
    a, b = ours["relative_error"], theirs["relative_error"]
    # Not worse than the peer by more than one percent.
    return None if a <= 1.01 * b else f"relative error {a:.5f} against {b:.5f}"


SIX = {"name": "6 animals", "frames": 400, "pairs": 780, "animals": 6, "rank": 4, "sweeps": 60, "starts": 3}
# The card's bar: 100 units, 1000 frames, 20 animals, 100 sweeps in 120 s and 2 GiB. A peer would need many minutes.
CARD = {"name": "card", "frames": 1000, "pairs": 4950, "animals": 20, "rank": 8, "sweeps": 100, "starts": 1}

COMPARISONS = [
    Comparison(
        name="ntf",
        cases=[
            {"name": "one worm", "frames": 480, "pairs": 10585, "animals": 1, "rank": 6, "sweeps": 20, "starts": 3},
            SIX,
            {"name": "20 animals", "frames": 250, "pairs": 4950, "animals": 20, "rank": 8, "sweeps": 10, "starts": 3},
        ],
        inputs=inputs,
        ours=ours,
        peers=[Peer(name="tensorly", prepare=tensorly, package="tensorly")],
        bar=5.0,
        fair="Three random starts of the same number of sweeps of five rounds, single-precision products for both. Starts "
        "differ: the least errors of both sides are compared. The peer's error computation within its sweeps is its own.",
        same=same,
        rounds=2,
        repeats=1,
        threads=("1", "2"),
    ),
    Comparison(
        name="ntf with entries hidden",
        cases=[
            {**SIX, "name": "6 animals, 30 % of entries hidden", "hidden": 0.3},
            {**SIX, "name": "6 animals, 30 % of pairs hidden", "hidden_pairs": 0.3},
        ],
        inputs=inputs,
        ours=ours,
        peers=[Peer(name="tensortools", prepare=tensortools, package="tensortools")],
        bar=5.0,
        fair="The same entries hidden from both sides, the same number of starts and sweeps; three rounds in each sweep for "
        "the peer, five for ours. The peer knows double precision alone; ours sums single-precision products. Errors are "
        "those on the entries shown; the least of the starts is compared.",
        same=same,
        rounds=2,
        repeats=1,
        threads=("1", "2"),
    ),
    Comparison(
        name="ntf at the card's size",
        cases=[CARD],
        inputs=inputs,
        ours=ours,
        peers=[],
        most_s=120.0,
        most_mib=2048.0,
        fair="Ours alone, against fixed limits of time and of the whole process' memory, the input included.",
        threads=("1", "2"),
        rounds=1,
        repeats=1,
    ),
]
