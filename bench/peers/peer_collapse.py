"""Measures of neural collapse beside the Python package neural_collapse (github.com/rhubarbwu/neural-collapse, MIT), on random
features.

The package is not on PyPI; its formulae, a few lines each, are written out below in numpy, in the order of its code (accumulators
with one-hot products, whole grids of pairs by tiles). Where the package itself can be imported (PyTorch, and its folder on
NEURAL_COLLAPSE_PATH) it runs beside.
"""

import os
import sys

from common import Comparison, Peer

SIZES = {
    "measures": {"n": 100_000, "k": 100, "d": 512},
    "language": {"n": 1_000_000, "k": 2000, "d": 128, "batch": 4096},
    "pairs": {"k": 10_000, "d": 256},
}


def inputs(case, folder):
    import numpy as np

    rng = np.random.default_rng(1)
    means = rng.standard_normal((case["k"], case["d"]))
    if case["work"] == "pairs":
        np.save(folder / "means.npy", means)
        np.save(folder / "variances.npy", rng.random(case["k"]) + 0.5)
        return
    labels = rng.integers(0, case["k"], case["n"])
    labels[: case["k"]] = np.arange(case["k"])
    x = means[labels]
    x += 0.5 * rng.standard_normal(x.shape)
    np.save(folder / "x.npy", x)
    np.save(folder / "labels.npy", labels)
    np.save(folder / "weights.npy", means + 0.3 * rng.standard_normal(means.shape))


def load(folder):
    import numpy as np

    return [np.load(folder / f"{name}.npy") for name in ("x", "labels", "weights")]


def structure_error(a, b):
    import numpy as np

    k = len(a)
    grid = b @ a.T
    grid /= np.linalg.norm(grid)
    grid += 1 / k / np.sqrt(k - 1)
    grid[np.diag_indices(k)] -= 1 / np.sqrt(k - 1)
    return float(np.linalg.norm(grid))


def one_hot(labels, k):
    import numpy as np

    return (labels[:, None] == np.arange(k)).astype(float)


def tiled(data, kernel, tile):
    """The package's `tiling`: the whole grid of pairs, tile by tile."""
    import numpy as np

    n = len(data)
    grid = np.zeros((n, n))
    for i in range(0, n, tile):
        for j in range(0, n, tile):
            grid[i : i + tile, j : j + tile] = kernel(data[i : i + tile], data[j : j + tile])
    return grid


def over_pairs(grid):
    import numpy as np

    values = grid[np.triu_indices(len(grid), 1)]
    return float(values.mean()), float(values.var())


def kernels(means, variances, tile):
    """CDNV (power 2) and log kernel, as the package has them: differences of every pair, feature by feature."""
    import numpy as np

    def cdnv(a, b):
        apart = a[:, None, :-1] - b[None, :, :-1]
        squared = (apart * apart).sum(-1)
        with np.errstate(divide="ignore"):
            return (a[:, None, -1] + b[None, :, -1]) / 2 / squared**2

    def log(a, b):
        with np.errstate(divide="ignore"):
            return np.log(np.linalg.norm(a[:, None] - b[None], axis=-1) ** -1)

    found = {"cdnv": over_pairs(tiled(np.column_stack([means, variances]), cdnv, tile))[0]}
    centered = means - means.mean(0)
    unit = centered / (np.linalg.norm(centered, axis=1, keepdims=True) + np.finfo(float).eps)
    mean, variance = over_pairs(tiled(unit, log, tile))
    return {**found, "log_kernel": mean, "log_kernel_variance": variance}


def in_numpy(case, folder):
    import numpy as np

    if case["work"] == "pairs":
        means, variances = np.load(folder / "means.npy"), np.load(folder / "variances.npy")
        return lambda: kernels(means, variances, 64)
    x, labels, weights = load(folder)
    k = case["k"]
    eps = np.finfo(float).eps

    def measures():
        hot = one_hot(labels, k)
        counts = hot.sum(0)
        means = (hot.T @ x) / (counts + eps)[:, None]
        apart = x - means[labels]
        within = apart.T @ apart / (counts.sum() + eps)
        centered = means - means.mean(0)
        between = centered.T @ centered / k
        return {
            "nc1": float(np.trace(np.linalg.pinv(between) @ within) / k),
            "nc1_quotient": float(np.trace(within) / np.trace(between)),
            "nc2": structure_error(centered, centered),
            "nc3": structure_error(centered, weights),
        }

    def language():
        batch = case["batch"]
        counts, sums = np.zeros(k), np.zeros((k, x.shape[1]))
        for i in range(0, len(x), batch):
            hot = one_hot(labels[i : i + batch], k)
            counts += hot.sum(0)
            sums += hot.T @ x[i : i + batch]
        means = sums / (counts + eps)[:, None]
        squares = np.zeros(k)
        for i in range(0, len(x), batch):
            hot = one_hot(labels[i : i + batch], k)
            apart = (x[i : i + batch] - means[labels[i : i + batch]]) ** 2
            squares += (hot.T @ apart).sum(-1)
        hits = n = 0
        lengths = (means**2).sum(1)
        for i in range(0, len(x), 10 * batch):
            own = x[i : i + batch]
            near = ((own**2).sum(1)[:, None] + lengths - 2 * own @ means.T).argmin(1)
            hits += int(((own @ weights.T).argmax(1) == near).sum())
            n += len(own)
        return {**kernels(means, squares / (counts + eps), 64), "agreement": hits / n}

    return measures if case["work"] == "measures" else language


def in_torch(case, folder):
    import numpy as np

    sys.path.insert(0, os.environ.get("NEURAL_COLLAPSE_PATH", ""))
    import torch
    from neural_collapse import accumulate as acc
    from neural_collapse import measure as m
    from neural_collapse.kernels import kernel_stats, log_kernel

    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    f64 = {"dtype": torch.float64}
    if case["work"] == "pairs":
        means = torch.from_numpy(np.load(folder / "means.npy"))
        variances = torch.from_numpy(np.load(folder / "variances.npy"))

        def pairs():
            mean, variance = kernel_stats(means, means.mean(0), log_kernel, 64)
            cdnv = m.variability_cdnv(variances, means, 2, 64)
            return {"cdnv": cdnv, "log_kernel": mean, "log_kernel_variance": variance}

        return pairs
    x, labels, weights = (torch.from_numpy(a) for a in load(folder))
    k, d = case["k"], case["d"]

    def measures():
        first = acc.MeanAccumulator(k, d, "cpu", **f64)
        first.accumulate(x, labels)
        means, global_mean = first.compute()
        second = acc.CovarAccumulator(k, d, "cpu", M=means, **f64)
        second.accumulate(x, labels, means)
        within = second.compute()
        return {
            "nc1": m.covariance_ratio(within, means, global_mean),
            "nc1_quotient": m.covariance_ratio(within, means, global_mean, "quotient"),
            "nc2": m.simplex_etf_error(means, global_mean),
            "nc3": m.self_duality_error(weights, means, global_mean),
        }

    def language():
        batch = case["batch"]
        first = acc.MeanAccumulator(k, d, "cpu", **f64)
        for i in range(0, len(x), batch):
            first.accumulate(x[i : i + batch], labels[i : i + batch])
        means, global_mean = first.compute()
        second = acc.VarNormAccumulator(k, d, "cpu", M=means, **f64)
        for i in range(0, len(x), batch):
            second.accumulate(x[i : i + batch], labels[i : i + batch], means)
        variances, _ = second.compute()
        third = acc.DecAccumulator(k, d, "cpu", M=means, W=weights, **f64)
        for i in range(0, len(x), 10 * batch):
            third.accumulate(x[i : i + batch], labels[i : i + batch], weights, means)
        mean, variance = kernel_stats(means, global_mean, log_kernel, 64)
        return {
            "cdnv": m.variability_cdnv(variances, means, 2, 64),
            "log_kernel": mean,
            "log_kernel_variance": variance,
            "agreement": float(third.totals.sum() / third.ns_samples.sum()),
        }

    return measures if case["work"] == "measures" else language


def same(ours, theirs):
    gaps = {k: abs(ours[k] - theirs[k]) / abs(theirs[k]) for k in theirs}
    # `not <=`: NaN must not pass. The package keeps its grids in single precision by default.
    worst = [f"{k} {ours[k]} and {theirs[k]}" for k, gap in gaps.items() if not gap <= 1e-4]
    return ", ".join(worst) or None


def ours(case, folder):
    files = {"pairs": ["means", "variances"]}.get(case["work"], ["x", "labels", "weights"])
    batch = [str(case["batch"])] if "batch" in case else []
    return ["peer_collapse", case["work"], *(str(folder / f"{f}.npy") for f in files), *batch]


def comparison(work, bar, fair, **how):
    size = SIZES[work]
    name = ", ".join(f"{k} = {v}" for k, v in size.items())
    return Comparison(
        name=f"collapse-{work}",
        cases=[{"name": name, "work": work, **size}],
        inputs=inputs,
        ours=ours,
        peers=[
            Peer("numpy, the package's formulae", in_numpy, package="numpy"),
            Peer("neural_collapse", in_torch, package="torch"),
        ],
        bar=bar,
        fair=fair,
        same=same,
        **how,
    )


COMPARISONS = [
    comparison(
        "measures",
        5.0,
        "The same features in float64, all in memory; NC1 (pinv), NC1~, NC2, NC3 must agree. The package forms the covariance of"
        " all features; ours takes products with the K - 1 directions between classes alone.",
    ),
    comparison(
        "language",
        5.0,
        "The same features in float64, three passes in batches of 4,096 (the third over every tenth), then CDNV and log kernel"
        " over all pairs. The package sums classes by one-hot products; ours adds row by row.",
        rounds=1,
        repeats=1,
    ),
    Comparison(
        name="collapse-pairs",
        cases=[{"name": "k = 10000, d = 256", "work": "pairs", **SIZES["pairs"]}],
        inputs=inputs,
        ours=ours,
        peers=[],
        most_s=20.0,
        most_mib=1024.0,
        fair="CDNV and log kernel over 50 million pairs, ours alone, against 20 s on two cores without a matrix of K x K.",
        threads=("2",),
    ),
]
