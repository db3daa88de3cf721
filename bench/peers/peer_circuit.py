#!/usr/bin/env python3
"""The simulation engine beside Brian2 (`cpp_standalone`) and NEST: CUBA, COBA, and a neuron with plastic synapses.

    python bench/peers/peer_circuit.py --runs 6     rate, CV of ISI and correlation of Brian2's networks, run by run
"""

from __future__ import annotations

import os
from pathlib import Path

from common import HERE, Comparison, Peer

# Brian2 2.9 asks for an older NumPy than the other peers: both simulators have an environment of their own.
PYTHON = os.environ.get("PEER_CIRCUIT_PYTHON", str(HERE / ".venv-circuit" / "bin" / "python"))

# Both networks: benchmarks 1 and 2 of Brette et al. (2007), after Vogels and Abbott (2005).
POPULATION = """
[population.{name}]
n = {n}
start.v_m_mv = {{ uniform = [-60.0, -50.0] }}
{start}
[population.{name}.{model}]
e_l_mv = {e_l}
# Brian2 counts the step of the spike among those of rest.
t_ref_ms = 4.9
"""
PROJECTION = """
[projection.{a}{b}]
from = "{source}"
to = "{target}"
receptor = "{receptor}"
connect = {{ probability = {p} }}
self_connections = true
weight = {weight}
delay_ms = 0.1
"""
STDP = """
dt_ms = 0.1
duration_s = {seconds}
[input.afferents]
n = 1000
rate_hz = 15.0
[population.neuron]
n = 1
start.v_m_mv = -60.0
[population.neuron.lif-conductance]
c_m_pf = 100.0
e_l_mv = -74.0
v_th_mv = -54.0
t_ref_ms = 0.0
[projection.afferents]
from = "afferents"
to = "neuron"
weight = {{ uniform = [0.0, 0.1] }}
delay_ms = 0.1
[projection.afferents.stdp]
a_plus = 0.001
a_minus = 0.00105
w_max = 0.1
"""


def text(case: dict) -> str:
    """The circuit of a case, as TOML."""
    if case["network"] == "stdp":
        return STDP.format(seconds=case["seconds"])
    coba = case["network"] == "coba"
    n = case.get("n", 4000)
    start = "start.g_ex_ns = { normal = [40.0, 15.0] }\nstart.g_in_ns = { normal = [200.0, 120.0] }" if coba else ""
    parts = [f'name = "{case["network"]}"\ndt_ms = 0.1\nduration_s = {case["seconds"]}\n']
    sizes = {"excitatory": n * 4 // 5, "inhibitory": n - n * 4 // 5}
    for name, size in sizes.items():
        model = "lif-conductance" if coba else "lif-current"
        parts.append(POPULATION.format(name=name, n=size, model=model, e_l=-60.0 if coba else -49.0, start=start))
    weights = {"excitatory": 6.0, "inhibitory": 67.0} if coba else {"excitatory": 16.2, "inhibitory": -90.0}
    for source in sizes:
        for target in sizes:
            # 80 synapses for each neuron, whatever the size.
            facts = {"source": source, "target": target, "receptor": source, "weight": weights[source], "p": 80 / n}
            parts.append(PROJECTION.format(a=source[0], b=target[0], **facts))
    return "".join(parts)


def inputs(case: dict, folder: Path) -> None:
    (folder / "circuit.toml").write_text(text(case))


def ours(case: dict, folder: Path) -> list[str]:
    return ["peer_circuit", str(folder / "circuit.toml"), str(case.get("seed", 1))]


def brian_network(case: dict, folder: Path, threads: int):
    """Builds and compiles the network in standalone mode; returns the device and the spike monitors."""
    import brian2 as b

    b.set_device("cpp_standalone", build_on_run=False, directory=str(folder / "brian"))
    b.prefs.devices.cpp_standalone.openmp_threads = threads if threads > 1 else 0
    b.seed(case.get("seed", 1))
    b.defaultclock.dt = 0.1 * b.ms
    ms, mV = b.ms, b.mV
    names = {"ms": ms, "mV": mV}
    if case["network"] == "stdp":
        gmax, pre = 0.01, 0.01
        names.update(gmax=gmax, dApre=pre * gmax, dApost=-pre * 1.05 * gmax)
        source = b.PoissonGroup(1000, rates=15 * b.Hz)
        neuron = b.NeuronGroup(
            1,
            "dv/dt = (ge*(0*mV - v) + (-74*mV) - v)/(10*ms) : volt\ndge/dt = -ge/(5*ms) : 1",
            threshold="v > -54*mV",
            reset="v = -60*mV",
            method="euler",
        )
        neuron.v = -60 * mV
        synapses = b.Synapses(
            source,
            neuron,
            """w : 1
            dApre/dt = -Apre/(20*ms) : 1 (event-driven)
            dApost/dt = -Apost/(20*ms) : 1 (event-driven)""",
            on_pre="ge += w\nApre += dApre\nw = clip(w + Apost, 0, gmax)",
            on_post="Apost += dApost\nw = clip(w + Apre, 0, gmax)",
            namespace=names,
        )
        synapses.connect()
        synapses.w = "rand()*gmax"
        monitor = b.SpikeMonitor(neuron)
        network = b.Network(source, neuron, synapses, monitor)
    else:
        coba = case["network"] == "coba"
        n = case.get("n", 4000)
        n_exc = n * 4 // 5
        if coba:
            equations = """dv/dt = (ge*(0*mV - v) + gi*(-80*mV - v) + (-60*mV) - v)/(20*ms) : volt (unless refractory)
            dge/dt = -ge/(5*ms) : 1
            dgi/dt = -gi/(10*ms) : 1"""
            method, exc, inh = "exponential_euler", "ge += 0.6", "gi += 6.7"
        else:
            equations = """dv/dt = (ge + gi + (-49*mV) - v)/(20*ms) : volt (unless refractory)
            dge/dt = -ge/(5*ms) : volt
            dgi/dt = -gi/(10*ms) : volt"""
            method, exc, inh = "exact", "ge += 1.62*mV", "gi -= 9*mV"
        group = b.NeuronGroup(
            n, equations, threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * ms, method=method
        )
        group.v = "-60*mV + rand()*10*mV"
        if coba:
            group.ge = "4 + 1.5*randn()"
            group.gi = "20 + 12*randn()"
        excitatory = b.Synapses(group, group, on_pre=exc)
        excitatory.connect(f"i < {n_exc}", p=80 / n)
        inhibitory = b.Synapses(group, group, on_pre=inh)
        inhibitory.connect(f"i >= {n_exc}", p=80 / n)
        monitor = b.SpikeMonitor(group)
        network = b.Network(group, excitatory, inhibitory, monitor)
    network.run(case["seconds"] * b.second)
    b.device.build(directory=str(folder / "brian"), compile=True, run=False)
    return b.device, monitor


def brian2(case: dict, folder: Path):
    """Compiled untimed; timed are the program's start, the drawing of synapses, the run and the writing of spikes."""
    device, monitor = brian_network(case, folder, int(os.environ["OMP_NUM_THREADS"]))

    def work() -> dict:
        device.run(with_output=False)
        return {"run_s": device._last_run_time, "spikes": int(monitor.num_spikes)}

    return work


def nest(case: dict, folder: Path):
    """Models with exact integration (CUBA). Timed are the kernel's reset, the drawing of synapses and the run."""
    import time

    import nest

    nest.set_verbosity("M_ERROR")
    n = case.get("n", 4000)
    n_exc = n * 4 // 5

    def work() -> dict:
        nest.ResetKernel()
        nest.set(resolution=0.1, local_num_threads=int(os.environ["OMP_NUM_THREADS"]), rng_seed=case.get("seed", 1))
        # NEST adds arrivals after the step's integration, so its least delay is one step as in the others.
        params = {"C_m": 200.0, "tau_m": 20.0, "E_L": -49.0, "V_th": -50.0, "V_reset": -60.0, "t_ref": 4.9}
        group = nest.Create("iaf_psc_exp", n, params={**params, "tau_syn_ex": 5.0, "tau_syn_in": 10.0})
        group.V_m = nest.random.uniform(-60.0, -50.0)
        rule = {"rule": "pairwise_bernoulli", "p": 80 / n}
        nest.Connect(group[:n_exc], group, rule, {"weight": 16.2, "delay": 0.1})
        nest.Connect(group[n_exc:], group, rule, {"weight": -90.0, "delay": 0.1})
        recorder = nest.Create("spike_recorder")
        nest.Connect(group, recorder)
        start = time.perf_counter()
        nest.Simulate(1000.0 * case["seconds"])
        return {"run_s": time.perf_counter() - start, "spikes": int(recorder.n_events)}

    return work


def same(ours: dict, theirs: dict) -> str | None:
    """Networks differ from seed to seed by a few percent; more is another network."""
    a, b = ours["spikes"], theirs["spikes"]
    return None if abs(a - b) <= 0.1 * b else f"{a} spikes against {b}"


FAIR = (
    "The same equations, step (.1 ms), integration and delay of one step, all spikes recorded; networks drawn anew by "
    "each side. Seconds are those of drawing the synapses and running; `run_s` among the figures is the run alone. "
    "Compilation of Brian2's program is not counted."
)
CUBA = {"name": "CUBA, 4000 neurons, 10 s", "network": "cuba", "seconds": 10.0}
COBA = {"name": "COBA, 4000 neurons, 10 s", "network": "coba", "seconds": 10.0}
PLASTIC = {"name": "1000 plastic synapses, 100 s", "network": "stdp", "seconds": 100.0}

BRIAN2 = Peer("brian2", brian2, package="Brian2", python=PYTHON)
NEST = Peer("nest", nest, package="nest-simulator", python=PYTHON)


def comparison(name, cases, peers, fair, **more):
    return Comparison(
        name=name,
        cases=cases,
        inputs=inputs,
        ours=ours,
        peers=peers,
        fair=fair,
        crate="chiasm-circuit",
        threads=("1", "2"),
        rounds=1,
        repeats=3,
        **more,
    )


COMPARISONS = [
    comparison(
        "circuit-cuba",
        [CUBA],
        [BRIAN2, NEST],
        FAIR + " Exact integration on all sides.",
        bar=2.0,
        same=same,
    ),
    comparison(
        "circuit-coba",
        [COBA],
        [BRIAN2],
        FAIR + " Exponential Euler on both sides. NEST integrates this model adaptively, so it is not compared.",
        bar=2.0,
        same=same,
    ),
    comparison(
        "circuit-plastic",
        [PLASTIC],
        [BRIAN2],
        FAIR + " The one membrane is integrated by Euler on Brian2's side, by exponential Euler on ours.",
        bar=2.0,
        same=same,
    ),
    comparison(
        "circuit-size",
        [
            {"name": f"CUBA, {n} neurons, 1 s", "network": "cuba", "n": n, "seconds": 1.0}
            for n in (1_000, 10_000, 100_000)
        ],
        [],
        "Ours alone: seconds of work for one simulated second, at 80 synapses for each neuron.",
    ),
]


def activity(trains: list, n_exc: int, start_s: float, stop_s: float) -> dict:
    """Mean rate, mean CV of ISI (at least three spikes) and mean correlation of counts, as `chiasm_circuit` has them."""
    import numpy as np

    trains = [t[t >= start_s - 1e-12] for t in trains]
    rate = sum(map(len, trains)) / len(trains) / (stop_s - start_s)

    def cv(group: list) -> float:
        intervals = [np.diff(t) for t in group if len(t) >= 3]
        return float(np.mean([i.std() / i.mean() for i in intervals]))

    groups = [trains[:n_exc], trains[n_exc:]]
    n_bins = int((stop_s - start_s) / 0.01 + 1e-9)
    counts = []
    for train in trains[:n_exc]:
        bins = ((train - start_s) / 0.01 + 1e-9).astype(int)
        count = np.bincount(bins[bins < n_bins], minlength=n_bins)
        if count.std() > 0 and len(counts) < 200:
            counts.append(count)
    r = np.corrcoef(np.array(counts))
    mean_r = (r.sum() - len(r)) / (len(r) * (len(r) - 1))
    cv_isi = sum(cv(g) * len(g) for g in groups) / len(trains)
    return {"rate_hz": rate, "cv_isi": cv_isi, "correlation": float(mean_r)}


def main() -> None:
    """Prints what Brian2's networks do, run by run: each draws its synapses and initial state anew."""
    import argparse
    import json
    import subprocess
    import sys
    import tempfile

    import numpy as np

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--network", choices=["cuba", "coba"], help="one of them; both if left out")
    args = parser.parse_args()
    if not args.network:
        for network in ("cuba", "coba"):
            # One process for each: Brian2 has one standalone device.
            subprocess.run([sys.executable, __file__, "--network", network, "--runs", str(args.runs)], check=True)
        return
    # Without a seed the compiled program takes another one each time it runs.
    case = {"network": args.network, "seconds": 10.0, "seed": None}
    with tempfile.TemporaryDirectory() as folder:
        device, monitor = brian_network(case, Path(folder), 1)
        for run in range(args.runs):
            device.run(with_output=False)
            i, t = np.asarray(monitor.i), np.asarray(monitor.t)
            figures = activity([t[i == k] for k in range(4000)], 3200, 0.5, 10.0)
            print(json.dumps({"network": args.network, "run": run, **figures}), flush=True)


if __name__ == "__main__":
    main()
