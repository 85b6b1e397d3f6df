"""Runs an experiment of one probe by two programs, five times each, and prints the medians of time and peak memory.

Usage: start_up.py CHAOSMONKEY CHAOS

Both are called as `PROGRAM --no-version-check --no-log-file run`, in turns, in a directory that is made for it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 5
PROBE = {
    "type": "probe",
    "name": "it works",
    "tolerance": 0,
    "provider": {"type": "process", "path": "true"},
}
EXPERIMENT = {
    "title": "start-up",
    "description": "one probe",
    "steady-state-hypothesis": {"title": "it works", "probes": [PROBE]},
    "method": [],
}
# Waits for the program alone, and so knows its time and the kernel's figure for its memory.
MEASURED = """
import resource, subprocess, sys, time
started = time.perf_counter()
code = subprocess.call(sys.argv[1:], stderr=subprocess.DEVNULL)
print(code, time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def once(program, directory):
    arguments = [program, "--no-version-check", "--no-log-file", "run", "experiment.json"]
    environment = dict(os.environ, HOME=directory)
    environment.pop("CHAOSMONKEY_STATE_DIR", None)
    command = [sys.executable, "-c", MEASURED, *arguments]
    run = subprocess.run(command, capture_output=True, check=True, text=True, cwd=directory, env=environment)
    code, took, peak = run.stdout.split()
    if code != "0":
        sys.exit(f"{program} ended with {code}")
    return float(took), int(peak) / (1024 * 1024 if sys.platform == "darwin" else 1024)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    programs = dict(zip(["chaosmonkey", "chaos"], map(os.path.abspath, sys.argv[1:])))
    figures = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "experiment.json"), "w", encoding="utf-8") as file:
            json.dump(EXPERIMENT, file)
        for name, program in programs.items():
            once(program, directory)
        for _ in range(RUNS):
            for name, program in programs.items():
                figures[name].append(once(program, directory))
    medians = {}
    for name, runs in figures.items():
        medians[name] = [statistics.median(column) for column in zip(*runs)]
        took, peak = medians[name]
        print(f"{name}: {took * 1000:.0f} ms, {peak:.1f} MiB (medians of {RUNS} runs)")
    ours, theirs = medians["chaosmonkey"], medians["chaos"]
    print(f"chaos needs {theirs[0] / ours[0]:.0f} times the time and {theirs[1] / ours[1]:.1f} times the memory")


main()
