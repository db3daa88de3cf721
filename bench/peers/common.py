#!/usr/bin/env python3
"""Times chiasm against its peers on the same work, side by side.

    python bench/peers/common.py                    every peer_*.py in this folder
    python bench/peers/common.py --only ntf         peer_ntf.py alone

A script `peer_NAME.py` holds a list `COMPARISONS` of `Comparison`s. Everything heavy (inputs, each side) runs in a
process of its own with a fixed number of threads; the sides take turns, round by round, so that a drifting clock
touches both. This file imports the standard library alone: it also runs under a Python that has only the peer.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import datetime
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
EXAMPLES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "examples"

THREADS = ["OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR", "NUMBA", "RAYON"]
# Set on some machines to tie OpenBLAS to an old kernel or cache size: a handicap for the peer, so removed.
UNSET = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_THREAD_LIMIT", "PYTHONPATH"]


@dataclasses.dataclass
class Peer:
    """Another program that does the same work.

    `prepare(case, folder)` loads the inputs, untimed, and returns the function whose calls are timed; that returns a
    dict of figures (an error, a score) by which the sides are compared. Import the peer inside `prepare`.
    """

    name: str
    prepare: Callable[[dict, Path], Callable[[], dict]]
    # The distribution or module whose version is recorded.
    package: str
    # Another interpreter, for a peer that comes with the system's Python (graph-tool).
    python: str = sys.executable


@dataclasses.dataclass
class Comparison:
    """One piece of work, in several cases, done by chiasm and by its peers.

    `ours(case, folder)` gives the name of a release example of `crate` and its arguments. The example loads its
    inputs untimed, reads the environment variable PEER_REPEATS, does the work once to warm up and that many times on
    the clock, and prints as its last line one JSON object: {"seconds": [...], figures...}.
    """

    name: str
    cases: list[dict]  # each with a "name"; the rest is the scripts' own, and must be JSON
    inputs: Callable[[dict, Path], None]  # writes the input files of a case into the folder
    ours: Callable[[dict, Path], list[str]]
    peers: list[Peer]  # none: ours alone, against `most_s` and `most_mib`
    # How many times faster we mean to be; None where no bar was set.
    bar: float | None = None
    # Without peers: the most seconds, and the most MiB of the whole process.
    most_s: float = float("inf")
    most_mib: float = float("inf")
    # What makes it the same work, and what does not.
    fair: str = ""
    # `same(ours, theirs)` says what differs between the sides' figures, or returns None if they agree.
    same: Callable[[dict, dict], str | None] | None = None
    crate: str = "chiasm-analysis"
    threads: tuple[str, ...] = ("1", "all")
    rounds: int = 3
    repeats: int = 2


def n_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment(threads: str, repeats: int) -> dict[str, str]:
    """The environment of one side: the same number of threads whichever library counts them."""
    env = {k: v for k, v in os.environ.items() if k not in UNSET}
    count = str(n_cores() if threads == "all" else int(threads))
    env.update({f"{name}_NUM_THREADS": count for name in THREADS})
    env.update(PEER_REPEATS=str(repeats), PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")
    return env


class SideFailed(Exception):
    """A side could not do its work; the message is its last words."""


def measured(command: list[str], env: dict[str, str]) -> dict:
    """Runs a side to its end: its last line as JSON, with the peak memory of the process in MiB."""
    with tempfile.TemporaryFile() as errors:
        try:
            child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=errors)
        except OSError as error:
            raise SideFailed(f"{command[0]}: {error.strerror}") from error
        out = child.stdout.read().decode()
        # wait4, not communicate: it alone gives the usage of this one child.
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        child.stdout.close()
        errors.seek(0)
        words = errors.read().decode(errors="replace").strip().splitlines()
    if child.returncode != 0:
        raise SideFailed(words[-1] if words else f"ended with status {child.returncode}")
    try:
        result = json.loads(out.strip().splitlines()[-1])
        seconds = result.pop("seconds")
    except (IndexError, KeyError, ValueError) as error:
        raise SideFailed(f"printed no JSON object with `seconds`: {out[-200:]!r}") from error
    seconds = seconds if isinstance(seconds, list) else [seconds]
    if not seconds or not all(isinstance(s, (int, float)) and s > 0 for s in seconds):
        raise SideFailed(f"seconds must be above 0, found {seconds}")
    # ru_maxrss is in KiB on Linux, in bytes on macOS.
    peak_mib = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    version = result.pop("version", None)
    return {"seconds": seconds, "peak_mib": peak_mib, "version": version, "figures": result}


def load(script: Path) -> list[Comparison]:
    """The comparisons of a script."""
    sys.path.insert(0, str(HERE))
    spec = importlib.util.spec_from_file_location(script.stem, script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.COMPARISONS


def version_of(package: str) -> str:
    """The version of an installed distribution, or else of an imported module."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return str(getattr(sys.modules.get(package), "__version__", "unknown"))


def work(script: Path, comparison: str, case_name: str, side: str, folder: Path) -> None:
    """Inside the process of one side: writes the inputs, or times a peer and prints its JSON line."""
    chosen = next(c for c in load(script) if c.name == comparison)
    case = next(c for c in chosen.cases if c["name"] == case_name)
    if side == "inputs":
        chosen.inputs(case, folder)
        return
    peer = next(p for p in chosen.peers if p.name == side)
    timed = peer.prepare(case, folder)
    figures = timed()
    seconds = []
    for _i in range(int(os.environ["PEER_REPEATS"])):
        start = time.perf_counter()
        figures = timed()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({**(figures or {}), "seconds": seconds, "version": version_of(peer.package)}))


def our_version() -> str:
    """chiasm's version and commit."""
    manifest = (ROOT / "Cargo.toml").read_text()
    version = re.search(r'^version = "([^"]+)"', manifest, re.MULTILINE)
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=10"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    return f"{version.group(1) if version else 'unknown'} ({commit or 'no commit'})"


def compare(script: Path, comparison: Comparison, threads: str, case: dict, rows: list[dict]) -> list[dict]:
    """Runs one case at one thread count; appends every timing to `rows` and returns a summary per peer."""
    with tempfile.TemporaryDirectory(prefix="peers-") as temporary:
        folder = Path(temporary)

        def python(side: str, interpreter: str) -> list[str]:
            names = [comparison.name, case["name"], side, str(folder)]
            return [interpreter, str(HERE / "common.py"), "--work", str(script), *names]

        once = environment("all", 1)
        made = subprocess.run(python("inputs", sys.executable), env=once, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            reason = (made.stderr.strip().splitlines() or ["no message"])[-1]
            summary = {"comparison": comparison, "case": case["name"], "threads": threads}
            names = [p.name for p in comparison.peers] or ["none"]
            return [{**summary, "peer": name, "failed": f"inputs: {reason}"} for name in names]

        example, *arguments = comparison.ours(case, folder)
        sides = {"chiasm": [str(EXAMPLES / example), *arguments]}
        sides |= {p.name: python(p.name, p.python) for p in comparison.peers}
        results: dict[str, list[dict]] = {side: [] for side in sides}
        failed: dict[str, str] = {}
        env = environment(threads, comparison.repeats)
        for round_idx in range(comparison.rounds):
            for side, command in sides.items():
                if side in failed:
                    continue
                try:
                    result = measured(command, env)
                except SideFailed as error:
                    failed[side] = str(error)
                    continue
                results[side].append(result)
                for repeat_idx, seconds in enumerate(result["seconds"]):
                    rows.append(
                        {
                            "comparison": comparison.name,
                            "case": case["name"],
                            "side": side,
                            "version": our_version() if side == "chiasm" else result["version"],
                            "threads": threads,
                            "round": round_idx,
                            "repeat": repeat_idx,
                            "seconds": f"{seconds:.6g}",
                            "peak_mib": f"{result['peak_mib']:.1f}",
                            "figures": json.dumps(result["figures"], sort_keys=True),
                        }
                    )
    peers = comparison.peers or [None]
    return [summarise(comparison, case, threads, peer, results, failed) for peer in peers]


def summarise(comparison: Comparison, case: dict, threads: str, peer: Peer | None, results: dict, failed: dict) -> dict:
    """Median against median, and the spread of both sides."""
    name = peer.name if peer else "none"
    summary = {"comparison": comparison, "case": case["name"], "threads": threads, "peer": name}
    sides = {"ours": "chiasm", "theirs": name} if peer else {"ours": "chiasm"}
    for side in sides.values():
        if side in failed:
            return {**summary, "failed": f"{side}: {failed[side]}"}
    for key, side in sides.items():
        seconds = [s for r in results[side] for s in r["seconds"]]
        summary[key] = (statistics.median(seconds), min(seconds), max(seconds))
        summary[f"{key}_mib"] = max(r["peak_mib"] for r in results[side])
    if peer is None:
        return {**summary, "figures": (results["chiasm"][-1]["figures"], {}), "differs": None}
    summary["version"] = results[peer.name][0]["version"]
    summary["ratio"] = summary["theirs"][0] / summary["ours"][0]
    figures = results["chiasm"][-1]["figures"], results[peer.name][-1]["figures"]
    summary["figures"] = figures
    summary["differs"] = comparison.same(*figures) if comparison.same else None
    return summary


def verdict(s: dict) -> str:
    """What a summary says about its bar."""
    if s["differs"]:
        return f"not the same work: {s['differs']}"
    comparison = s["comparison"]
    if "theirs" not in s:
        if comparison.most_s == float("inf"):
            return "no bar"
        holds = s["ours"][2] <= comparison.most_s and s["ours_mib"] <= comparison.most_mib
        return f"{'holds' if holds else 'FAILS'} (at most {comparison.most_s:g} s and {comparison.most_mib:g} MiB)"
    if comparison.bar is None:
        return "no bar"
    return f"{'holds' if s['ratio'] >= s['comparison'].bar else 'FAILS'} (bar {s['comparison'].bar:g})"


def seconds_text(spread: tuple[float, float, float]) -> str:
    """Median with the range of all repeats, s."""
    return "{:.3g} ({:.3g} to {:.3g})".format(*spread)


def report(summaries: list[dict], machine: str, date: str) -> str:
    """The summary as Markdown."""
    lines = [
        f"# chiasm beside its peers, {date}",
        "",
        f"- machine: {machine}, {n_cores()} cores, {platform.system()} {platform.machine()}",
        f"- chiasm {our_version()}, release build; Python {platform.python_version()}",
        "- times: median over all rounds and repeats (least to most), s; each round is a new process that does the"
        " work once before the clock starts; the sides take turns",
        "- memory: peak resident size of the process, the interpreter and the inputs included",
        "- ratio: their median over ours; above 1, chiasm is faster",
        "",
    ]
    for name in dict.fromkeys(s["comparison"].name for s in summaries):
        group = [s for s in summaries if s["comparison"].name == name]
        lines += [f"## {name}", ""]
        if group[0]["comparison"].fair:
            lines += [group[0]["comparison"].fair, ""]
        lines += [
            "| case | threads | peer | chiasm s | peer s | ratio | chiasm MiB | peer MiB | verdict |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for s in group:
            head = f"| {s['case']} | {s['threads']} | {s['peer']}"
            if "failed" in s:
                lines.append(f"{head} | | | | | | did not run: {s['failed'].replace('|', '/')} |")
                continue
            if "theirs" not in s:
                cells = [s["peer"], seconds_text(s["ours"]), "", "", f"{s['ours_mib']:.0f}", "", verdict(s)]
                lines.append(f"| {s['case']} | {s['threads']} | " + " | ".join(cells) + " |")
                continue
            cells = [f"{s['peer']} {s['version']}", seconds_text(s["ours"]), seconds_text(s["theirs"])]
            cells += [f"{s['ratio']:.2f}", f"{s['ours_mib']:.0f}", f"{s['theirs_mib']:.0f}", verdict(s)]
            lines.append(f"| {s['case']} | {s['threads']} | " + " | ".join(cells) + " |")
        lines.append("")
        for s in group:
            if s.get("figures", ({}, {})) != ({}, {}):
                ours, theirs = (json.dumps(f, sort_keys=True) for f in s["figures"])
                line = f"- {s['case']}, {s['threads']} threads: chiasm `{ours}`"
                lines.append(line if "theirs" not in s else f"{line}, {s['peer']} `{theirs}`")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def record(summaries: list[dict], machine: str, date: str) -> dict:
    """The summary as JSON: medians with their range (s), peak memory (MiB), ratios, figures and verdicts."""
    results = []
    for s in summaries:
        row = {k: s[k] for k in ("case", "threads", "peer")}
        row["comparison"] = s["comparison"].name
        if "failed" in s:
            results.append({**row, "failed": s["failed"]})
            continue
        for key in ("ours", "theirs"):
            if key in s:
                median, least, most = s[key]
                row[f"{key}_s"] = {"median": median, "least": least, "most": most}
                row[f"{key}_mib"] = s[f"{key}_mib"]
        row["figures"] = {"ours": s["figures"][0], "theirs": s["figures"][1]}
        results.append({**row, "version": s.get("version"), "ratio": s.get("ratio"), "verdict": verdict(s)})
    about = {"date": date, "machine": machine, "cores": n_cores(), "chiasm": our_version()}
    return {"schema": 1, **about, "python": platform.python_version(), "results": results}


def cpu_name() -> str:
    """The processor's name: enough to compare runs, and it says nothing about whose machine it is."""
    try:
        match = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        match = None
    name = match.group(1) if match else platform.processor() or platform.machine()
    return re.sub(r"\((R|TM)\)|CPU|Processor|@.*", "", name)


def main() -> int:
    """Runs the comparisons and writes bench/runs/DATE-MACHINE/{results.csv, results.json, summary.md}; 1 if a side did not run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", help="peer_NAME.py or a comparison of this name; may be repeated")
    parser.add_argument("--threads", help="thread counts instead of the comparisons' own, such as 1,all")
    parser.add_argument("--rounds", type=int, help="rounds instead of the comparisons' own")
    parser.add_argument("--scripts", type=Path, default=HERE, help="folder of the peer_*.py scripts")
    parser.add_argument("--machine", default=cpu_name(), help="the machine's name in the results")
    parser.add_argument("--out", type=Path, help="folder of the results, instead of bench/runs/DATE-MACHINE")
    parser.add_argument("--work", nargs=5, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        script, comparison, case, side, folder = args.work
        work(Path(script), comparison, case, side, Path(folder))
        return 0
    rows, summaries = [], []
    for script in sorted(args.scripts.resolve().glob("peer_*.py")):
        for comparison in load(script):
            if args.only and not {script.stem.removeprefix("peer_"), comparison.name} & set(args.only):
                continue
            comparison.rounds = args.rounds or comparison.rounds
            for threads in args.threads.split(",") if args.threads else comparison.threads:
                for case in comparison.cases:
                    print(f"{comparison.name}, {case['name']}, {threads} threads", file=sys.stderr, flush=True)
                    summaries += compare(script, comparison, threads, case, rows)
    if not summaries:
        parser.error("no comparison of that name")
    date = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    slug = re.sub(r"[^a-z0-9]+", "-", f"{args.machine} {n_cores()} cores".lower()).strip("-")
    out = args.out or ROOT / "bench" / "runs" / f"{date}-{slug}"
    out.mkdir(parents=True, exist_ok=True)
    columns = "comparison case side version threads round repeat seconds peak_mib figures".split()
    with (out / "results.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    text = report(summaries, args.machine, date)
    (out / "summary.md").write_text(text)
    (out / "results.json").write_text(json.dumps(record(summaries, args.machine, date), indent=1) + "\n")
    print(text)
    print(f"written to {out}", file=sys.stderr)
    return int(any("failed" in s for s in summaries))


if __name__ == "__main__":
    sys.exit(main())
