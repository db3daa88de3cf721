"""Representational similarity analysis beside rsatoolbox and scikit-learn, on the published AlexNet RDMs.

The RDMs are read from CHIASM_DATA or ../shared/data; without them, random ones of the same size take their place.
"""

import importlib
import os
from pathlib import Path

from common import ROOT, Comparison, Peer

WORK = ["transforms", "compare", "identify", "map"]
# Cases other than the one case of all 55 RDMs.
CASES = {
    "compare": [
        {"name": "55 RDMs with themselves, Spearman", "work": "compare"},
        {"name": "55 RDMs with 55 others, Spearman", "work": "compare-others"},
        {"name": "55 RDMs with themselves, Kendall's tau-a", "work": "tau-a"},
    ]
}
OF_RSATOOLBOX = ("transforms", "compare", "compare-others", "tau-a")
# What is not the same on both sides, by comparison.
NOTES = {
    "transforms": (
        "rsatoolbox 0.3.2 hands out its matrix without a copy and then writes into it, so that every step changes the"
        " result of the step before: the peer's side copies between steps. Its geo-topological transform scales the"
        " middle values in place before it looks for those above the upper threshold, and so sets part of the middle to"
        " 1; up to that threshold it is right, and there the figures are compared. For geodesics both sides start from"
        " the right transform. It leaves pairs without a path infinite and drops edges of length 0: ours is told to drop"
        " them too, and the peer's side puts the largest finite path in place of infinite ones, as the paper's code"
        " does."
    ),
    "compare": (
        "Each side ranks or sorts its RDMs on the clock. Of RDMs with themselves ours does half the cells."
        " More than half of the time with 55 others is ranking 110 RDMs, and the peer's products are OpenBLAS's or numpy's."
    ),
    "identify": "scikit-learn's NearestCentroid on scipy's ranks, eleven subjects left out in turn.",
    "map": "numpy and scipy rank once; quantiles and NearestCentroid anew at each of the thresholds.",
}


def inputs(case, folder):
    import numpy as np
    import scipy.io

    roots = [os.environ.get("CHIASM_DATA"), ROOT.parent / "shared" / "data"]
    found = [Path(r) / "rsa" / "modelRDMs_A2020.mat" for r in roots if r]
    found = [p for p in found if p.is_file()]
    if found:
        rdms = scipy.io.loadmat(found[0])["modelRDMs"].ravel()
        rdms = [r for r in rdms if str(r["reprName"][0]).startswith("conv")]
        values = np.array([r["RDM"].ravel() for r in rdms], dtype=float)
        labels = [(str(r["measModelName"][0]), str(r["reprName"][0])) for r in rdms]
    else:
        values = np.random.default_rng(1).random((55, 4186))
        labels = [(f"s{i % 11}", f"conv{i // 11}") for i in range(55)]
    np.save(folder / "rdms.npy", values)
    lines = ["subject,region"] + [f"{s},{r}" for s, r in labels]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


def load(folder):
    import numpy as np

    values = np.load(folder / "rdms.npy")
    lines = (folder / "labels.csv").read_text().split()[1:]
    subject, region = map(np.array, zip(*(line.split(",") for line in lines)))
    return values, subject, region


def weighted_sum(values):
    """A sum in which every place has a weight of its own: that of ranks would be the same whatever their order."""
    import numpy as np

    i, j = np.indices(values.shape)
    return float(((i * 31 + j * 7) % 101 / 101.0 * values).sum())


def accuracy(vectors, subject, region):
    import numpy as np
    from sklearn.neighbors import NearestCentroid

    right = 0
    for s in np.unique(subject):
        train = subject != s
        fitted = NearestCentroid().fit(vectors[train], region[train])
        right += (fitted.predict(vectors[~train]) == region[~train]).sum()
    return right / len(vectors)


def ranked(values):
    import numpy as np
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=1)
    low, high = ranks.min(1, keepdims=True), ranks.max(1, keepdims=True)
    return (ranks - low) / (high - low)


def geotopological(ranks, l, u):
    import numpy as np

    a, b = np.quantile(ranks, [l, u], axis=1)[..., None]
    return np.clip((ranks - a) / (b - a), 0, 1)


def prepare(case, folder):
    """rsatoolbox for transforms and likeness; numpy, scipy and scikit-learn for the rest."""
    import numpy as np

    values, subject, region = load(folder)
    work = case["work"]
    if work in OF_RSATOOLBOX:
        import rsatoolbox
        # A function of this name hides the module in `rsatoolbox.rdm`.
        transform = importlib.import_module("rsatoolbox.rdm.transform")

        def copied(rdms):
            return rsatoolbox.rdm.RDMs(np.array(rdms))

        rdms = copied(values)
        others = copied(values[::-1])
        # The right transform, untimed: see NOTES.
        right = geotopological(ranked(values), 0.2, 0.8)

        def transforms():
            ranks = transform.minmax_transform(transform.rank_transform(rdms)).dissimilarities
            gt = transform.geotopological_transform(copied(ranks), low=0.2, up=0.8).dissimilarities
            paths = transform.geodesic_transform(copied(right)).dissimilarities
            for own in paths:
                own[np.isinf(own)] = own[np.isfinite(own)].max()
            paths = transform.rank_transform(copied(paths)).dissimilarities
            return {
                "rank": weighted_sum(ranks),
                "geo_topological": weighted_sum(np.minimum(gt, 0.8)),
                "geodesic": weighted_sum(paths / values.shape[1]),
            }

        def compare():
            second = others if work == "compare-others" else rdms
            method = "tau-a" if work == "tau-a" else "spearman"
            return {"similarity": weighted_sum(rsatoolbox.rdm.compare(rdms, second, method=method))}

        return transforms if work == "transforms" else compare
    if work == "identify":
        return lambda: {"accuracy": float(accuracy(ranked(values), subject, region))}
    if work == "map":

        def accuracy_map():
            ranks = ranked(values)
            cells = [(i / 20, j / 20) for i in range(20) for j in range(20, i, -1)]
            cells = [(l, u) for l, u in cells if 0.01 < l + u < 1.99]
            found = [accuracy(geotopological(ranks, l, u), subject, region) for l, u in cells]
            return {"accuracy": float(np.mean(found))}

        return accuracy_map

    def bootstrap():
        # One pair of thresholds for each family stands for ten; resamples as ours, drawn by numpy.
        from scipy.spatial.distance import squareform

        rng = np.random.default_rng(1)
        squares = np.array([squareform(v) for v in values])
        upper = np.triu_indices(92, 1)
        names = np.unique(subject)
        cells = [(0.1, 0.25), (0.75, 0.9), (0.05, 0.95), (0.45, 0.55), (0.3, 0.7)] * 10
        found = []
        for _ in range(case["resamples"]):
            stimuli = rng.integers(0, 92, 92)
            pair = stimuli[upper[0]] != stimuli[upper[1]]
            rows = np.concatenate(
                [np.flatnonzero(subject == s) for s in names[rng.integers(0, len(names), len(names))]]
            )
            drawn = squares[rows][:, stimuli][:, :, stimuli][:, upper[0], upper[1]][:, pair]
            ranks = ranked(drawn)
            found += [
                accuracy(geotopological(ranks, l, u), subject[rows], region[rows]) for l, u in cells
            ]
        return {"accuracy": float(np.mean(found))}

    return bootstrap


def same(tolerance):
    def check(ours, theirs):
        if set(ours) != set(theirs):
            return f"figures {sorted(ours)} and {sorted(theirs)}"
        gaps = {k: abs(ours[k] - theirs[k]) / abs(theirs[k]) for k in theirs}
        # `not <=`: NaN must not pass.
        worst = [f"{k} {ours[k]} and {theirs[k]}" for k, gap in gaps.items() if not gap <= tolerance]
        return ", ".join(worst) or None

    return check


def ours(case, folder):
    arguments = [case["work"], str(folder / "rdms.npy"), str(folder / "labels.csv")]
    return ["peer_rsa", *arguments, str(case.get("resamples", 1))]


def package(work):
    return "rsatoolbox" if work in OF_RSATOOLBOX else "scikit-learn"


COMPARISONS = [
    Comparison(
        name=f"rsa-{work}",
        cases=CASES.get(work, [{"name": "55 RDMs of 92 stimuli", "work": work}]),
        inputs=inputs,
        ours=ours,
        peers=[Peer(package(work), prepare, package=package(work))],
        bar=10.0,
        fair="The same RDMs in float64; weighted sums or accuracies must agree. " + NOTES[work],
        same=same(1e-6),
        rounds=2,
    )
    for work in WORK
] + [
    Comparison(
        name="rsa-bootstrap",
        cases=[{"name": "4 resamples x 5 families x 10 draws", "work": "bootstrap", "resamples": 4}],
        inputs=inputs,
        ours=ours,
        peers=[Peer("scikit-learn", prepare, package="scikit-learn")],
        bar=10.0,
        fair="As many resamples and transforms; each side draws its own, so the mean accuracies agree only roughly.",
        same=same(0.1),
        rounds=2,
        repeats=1,
    ),
    Comparison(
        name="rsa-whole",
        cases=[{"name": "full 0.05 grid, then 1000 resamples x 5 families", "work": "whole", "resamples": 1000}],
        inputs=inputs,
        ours=ours,
        peers=[],
        most_s=120.0,
        fair="What a figure of the paper takes, ours alone, against two minutes on two cores.",
        threads=("2",),
        rounds=1,
        repeats=1,
    ),
]
