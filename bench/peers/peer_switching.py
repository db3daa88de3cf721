"""Switching Poisson GLMs (HMM-GLM with free weights) beside dynamax: rounds of expectation and maximization."""

from __future__ import annotations

import struct
from pathlib import Path

from common import Comparison, Peer

LAGS = 5
LEARNING_RATE = 0.02


def inputs(case: dict, folder: Path) -> None:
    """Counts of a network whose couplings switch between states, and the parameters that they come from."""
    import numpy as np

    rng = np.random.default_rng(case["seed"])
    s, n, t = case["states"], case["units"], case["bins"]
    types = np.stack([[[rng.dirichlet([0.2, 1.6, 0.2]) for _ in range(n)] for _ in range(n)]] * s)
    kind = (rng.random((s, n, n, 1)) > types.cumsum(-1)).sum(-1).clip(0, 2) - 1
    weights = kind * np.log1p(3 * rng.random((s, n, n)))
    bias = 0.1 * (rng.random(n) - 0.5)
    transition = np.full((s, s), 0.02 / max(s - 1, 1))
    np.fill_diagonal(transition, 0.98 if s > 1 else 1.0)
    kernel = kernel_of(np)
    for name, trials in (("train", case["trials"]), ("test", 4)):
        x = np.zeros((trials, t, n))
        for trial in range(trials):
            state = rng.integers(s)
            for k in range(t):
                state = rng.choice(s, p=transition[state]) if k else state
                past = x[trial, max(k - LAGS, 0) : k][::-1]
                c = kernel[: len(past)] @ past if len(past) else np.zeros(n)
                x[trial, k] = rng.poisson(1 / (1 + np.exp(-(bias + weights[state] @ c))))
        with open(folder / f"{name}.bin", "wb") as file:
            file.write(struct.pack("<3Q", *x.shape))
            x.astype("<f8").tofile(file)
    with open(folder / "parameters.bin", "wb") as file:
        file.write(struct.pack("<2Q", s, n))
        for part in (weights, bias, transition):
            part.astype("<f8").tofile(file)


def kernel_of(np):
    raw = np.exp(-np.arange(1.0, LAGS + 1))
    return raw / raw.sum()


def counts(path: Path):
    import numpy as np

    with open(path, "rb") as file:
        shape = struct.unpack("<3Q", file.read(24))
        return np.frombuffer(file.read(), "<f8").reshape(shape)


def ours(case: dict, folder: Path) -> list[str]:
    numbers = [str(case[key]) for key in ("states", "rounds", "steps")]
    return ["peer_switching", str(folder), *numbers, "single"]


def dynamax(case: dict, folder: Path):
    import os

    # XLA knows no variable for its threads: it takes as many as the process may use cores.
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[: int(os.environ["OMP_NUM_THREADS"])])

    from typing import Any, NamedTuple

    import jax
    import jax.numpy as jnp
    import jax.random as jr
    import numpy as np
    import optax
    import tensorflow_probability.substrates.jax.distributions as tfd
    from dynamax.hidden_markov_model.models.abstractions import HMM, HMMEmissions
    from dynamax.hidden_markov_model.models.initial import StandardHMMInitialState
    from dynamax.hidden_markov_model.models.transitions import StandardHMMTransitions
    from dynamax.parameters import ParameterProperties

    n_states, n_units = case["states"], case["units"]

    class Emissions(NamedTuple):
        weights: Any
        biases: Any

    class Parameters(NamedTuple):
        initial: Any
        transitions: Any
        emissions: Any

    class PoissonRegression(HMMEmissions):
        """Poisson counts of all units given the filtered history, as dynamax's own logistic regression is written."""

        num_states = n_states
        emission_shape = (n_units,)
        inputs_shape = (n_units,)

        def initialize(self, key, method="prior", **_):
            weights = 0.1 * jr.normal(key, (n_states, n_units, n_units))
            return (
                Emissions(weights, jnp.zeros(n_units)),
                Emissions(ParameterProperties(), ParameterProperties()),
            )

        def log_prior(self, params):
            return 0.0

        def distribution(self, params, state, inputs):
            rate = jax.nn.sigmoid(params.weights[state] @ inputs + params.biases)
            return tfd.Independent(tfd.Poisson(rate), reinterpreted_batch_ndims=1)

    class Model(HMM):
        inputs_shape = (n_units,)

    model = Model(
        n_states,
        StandardHMMInitialState(n_states, initial_probs_concentration=1.1),
        StandardHMMTransitions(n_states, concentration=1.1, stickiness=0.0),
        PoissonRegression(optax.adam(LEARNING_RATE), case["steps"]),
    )

    def history(x):
        c = np.zeros_like(x)
        for lag, weight in enumerate(kernel_of(np), 1):
            c[:, lag:] += weight * x[:, :-lag]
        return jnp.asarray(c, dtype="f4")

    train, test = counts(folder / "train.bin"), counts(folder / "test.bin")
    x, c = jnp.asarray(train, dtype="f4"), history(train)
    stay = np.full((n_states, n_states), 0.02 / max(n_states - 1, 1))
    np.fill_diagonal(stay, 0.98 if n_states > 1 else 1.0)

    def started(weights, biases, transition):
        uniform = jnp.full(n_states, 1.0 / n_states)
        initial, initial_props = model.initial_component.initialize(jr.PRNGKey(0), initial_probs=uniform)
        moves, moves_props = model.transition_component.initialize(
            jr.PRNGKey(0), transition_matrix=jnp.asarray(transition, dtype="f4")
        )
        _, emission_props = model.emission_component.initialize(jr.PRNGKey(0))
        emissions = Emissions(jnp.asarray(weights, dtype="f4"), jnp.asarray(biases, dtype="f4"))
        return Parameters(initial, moves, emissions), Parameters(initial_props, moves_props, emission_props)

    with open(folder / "parameters.bin", "rb") as file:
        file.read(16)
        numbers = np.frombuffer(file.read(), "<f8")
    size = n_states * n_units * n_units
    weights = numbers[:size].reshape(n_states, n_units, n_units)
    biases, transition = numbers[size : size + n_units], numbers[size + n_units :].reshape(n_states, n_states)
    truth, _ = started(weights, biases, transition)
    each = jax.vmap(lambda x, c: model.marginal_log_prob(truth, x, c))
    held_out = float(np.sum(np.asarray(each(jnp.asarray(test, dtype="f4"), history(test)), dtype="f8")) / test.size)
    first = 0.1 * np.random.default_rng(0).standard_normal((n_states, n_units, n_units))
    rate = train.mean((0, 1)).clip(1e-4, 1 - 1e-4)
    params, props = started(first, np.log(rate / (1 - rate)), stay)

    # Compiled in the first call, before the clock starts.
    compiled = jax.jit(lambda p: model.fit_em(p, props, x, c, num_iters=case["rounds"], verbose=False))

    def work() -> dict:
        _, log_probs = jax.block_until_ready(compiled(params))
        return {"held_out": held_out, "training": float(log_probs[-1]) / train.size}

    return work


def same(ours: dict, theirs: dict) -> str | None:
    a, b = ours["held_out"], theirs["held_out"]
    return None if abs(a - b) < 1e-5 else f"held-out log-likelihood {a:.7f} against {b:.7f} at the same parameters"


# 40 rounds of 20 steps, as the card's recipe has it. The first ones say less: every bin may then be in every state, and ours,
# which leaves out what a state has no part in, takes up to three times as long as in the last.
CARD = {"seed": 1, "states": 5, "units": 20, "bins": 2000, "rounds": 40, "steps": 20}

COMPARISONS = [
    Comparison(
        name="switching",
        cases=[
            {**CARD, "name": "5 states, 20 units, 4 trials", "trials": 4},
            {**CARD, "name": "5 states, 20 units, 30 trials", "trials": 30},
            {**CARD, "name": "4 states, 60 units, 8 trials", "states": 4, "units": 60, "trials": 8},
        ],
        inputs=inputs,
        ours=ours,
        peers=[Peer("dynamax", dynamax, package="dynamax")],
        bar=10.0,
        fair="The same number of rounds, each one expectation and 20 full-batch steps of Adam at 0.02, from small random weights,"
        " both in single precision, dynamax through XLA compiled before the clock starts; its Poisson regression is written"
        " here as its own logistic regression is. Ours leaves out bins for which a state's responsibility is below a thousandth of"
        " its largest, lays the counts out, and ends with one more expectation and one decoding in double precision, all on the"
        " clock."
        " Starts differ; the held-out likelihood of the same (true) parameters is compared."
        " nemos 0.2.8 has no public HMM-GLM.",
        same=same,
        rounds=2,
        repeats=1,
        threads=("1", "2"),
    ),
]
