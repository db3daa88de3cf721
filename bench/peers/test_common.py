"""The frame measures what it says: python -m unittest bench/peers/test_common.py"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent

SCRIPT = '''
import os, sys, time
from common import Comparison, Peer

def inputs(case, folder):
    (folder / "n.txt").write_text(str(case["mib"]))

def prepare(case, folder):
    assert "OPENBLAS_CORETYPE" not in os.environ
    n = int((folder / "n.txt").read_text())
    def timed():
        block = bytearray(n << 20)
        block[::4096] = b"x" * len(block[::4096])
        time.sleep(0.05)
        return {"threads": int(os.environ["OMP_NUM_THREADS"])}
    return timed

def absent(case, folder):
    import a_peer_that_is_not_there

ours = lambda case, folder: ["/bin/echo", '{"seconds": [0.01, 0.01], "threads": 1}']
COMPARISONS = [
    Comparison("sleep", [{"name": "small", "mib": 1}, {"name": "large", "mib": 100}], inputs, ours,
               [Peer("sleeper", prepare, "pip")], bar=4.0, rounds=2,
               same=lambda a, b: None if a["threads"] == b["threads"] else "threads"),
    Comparison("alone", [{"name": "x", "mib": 1}], inputs, ours, [], most_s=1.0, most_mib=4096.0),
    Comparison("too slow", [{"name": "x", "mib": 1}], inputs, ours, [], most_s=0.001),
    Comparison("gone", [{"name": "x", "mib": 1}], inputs, ours, [Peer("missing", absent, "pip")]),
]
'''


class Frame(unittest.TestCase):
    def run_frame(self, folder, *args):
        (Path(folder) / "peer_demo.py").write_text(SCRIPT)
        command = [sys.executable, str(HERE / "common.py"), "--scripts", folder, "--out", f"{folder}/out"]
        env = {"PATH": "/usr/bin:/bin", "OPENBLAS_CORETYPE": "Haswell"}
        done = subprocess.run([*command, *args], env=env, capture_output=True, text=True)
        return done, Path(folder) / "out"

    def test_times_memory_and_threads_are_those_of_the_sides(self):
        with tempfile.TemporaryDirectory() as folder:
            done, out = self.run_frame(folder, "--only", "sleep", "--threads", "1,3")
            self.assertEqual(done.returncode, 0, done.stderr)
            rows = (out / "results.csv").read_text().splitlines()
            # 2 cases x 2 thread counts x 2 rounds x 2 sides x 2 repeats, and the header
            self.assertEqual(len(rows), 33)
            import csv

            table = list(csv.DictReader(rows))
            peak = {
                case: max(float(r["peak_mib"]) for r in table if r["side"] == "sleeper" and r["case"] == case)
                for case in ("small", "large")
            }
            self.assertTrue(95 < peak["large"] - peak["small"] < 110, peak)
            seconds = [float(r["seconds"]) for r in table if r["side"] == "sleeper"]
            self.assertTrue(all(0.05 <= s < 0.5 for s in seconds), seconds)
            threads = {r["threads"]: json.loads(r["figures"])["threads"] for r in table if r["side"] == "sleeper"}
            self.assertEqual(threads, {"1": 1, "3": 3})
            summary = (out / "summary.md").read_text()
            self.assertIn("holds (bar 4)", summary)
            self.assertIn("not the same work: threads", summary)

    def test_without_a_peer_ours_is_held_against_limits(self):
        with tempfile.TemporaryDirectory() as folder:
            done, out = self.run_frame(folder, "--only", "alone", "--only", "too slow", "--threads", "1")
            self.assertEqual(done.returncode, 0, done.stderr)
            results = json.loads((out / "results.json").read_text())["results"]
            verdicts = [r["verdict"] for r in results]
            self.assertEqual(verdicts[0], "holds (at most 1 s and 4096 MiB)")
            self.assertTrue(verdicts[1].startswith("FAILS"), verdicts)
            self.assertEqual(results[0]["ours_s"]["median"], 0.01)
            self.assertIn(verdicts[0], (out / "summary.md").read_text())

    def test_a_side_that_does_not_run_is_said_and_is_a_failure(self):
        with tempfile.TemporaryDirectory() as folder:
            done, out = self.run_frame(folder, "--only", "gone", "--threads", "1")
            self.assertEqual(done.returncode, 1)
            self.assertIn("a_peer_that_is_not_there", (out / "summary.md").read_text())


if __name__ == "__main__":
    unittest.main()
