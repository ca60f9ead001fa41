"""Runs the tests that meson knows, one after the other, and counts test cases.

    run_tests.py BUILD [NAME...]        ends with "N passed, N failed"

A doctest program counts as its test cases, any other program as one. What a test says it skipped
(lines with SKIPPED:) is repeated, so that nothing skipped looks passed.
"""

import json
import os
import re
import subprocess
import sys
import time

build, only = sys.argv[1], sys.argv[2:]
tests = json.loads(
    subprocess.run(
        ["meson", "introspect", build, "--tests"], check=True, capture_output=True, text=True
    ).stdout
)
COUNTS = re.compile(r"test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def run(test):
    """Exit code and output; -1 where it took three times the time it should."""
    # Threads that wait asleep: beside other work, spinning ones make small parallel loops many
    # times slower.
    environment = {"OMP_WAIT_POLICY": "passive", **os.environ, **test.get("env", {})}
    limit = test["timeout"] * 3
    try:
        done = subprocess.run(
            test["cmd"],
            cwd=test.get("workdir") or build,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit,
        )
        return done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b"").decode(errors="replace")
        return -1, f"{said}\nstopped after {limit} s"


passed = failed = 0
skipped = []
for test in tests:
    if only and not any(name in test["name"] for name in only):
        continue
    start = time.time()
    code, output = run(test)
    counts = COUNTS.search(COLOURS.sub("", output))
    if counts:
        good, bad = int(counts[2]), int(counts[3])
    else:
        good, bad = int(code == 0), int(code != 0)
    if code != 0 and bad == 0:  # it crashed after its counts
        bad = 1
    passed += good
    failed += bad
    here = re.findall(r"SKIPPED: .*", output)
    skipped += [f"{test['name']}: {line}" for line in here]
    print(
        f"{'ok  ' if code == 0 else 'FAIL'} {test['name']:<28} {good:>4} passed {bad:>3} failed "
        f"{time.time() - start:6.1f} s" + (f"   {len(here)} skipped" if here else ""),
        flush=True,
    )
    if code != 0:
        print(output[-6000:], flush=True)
for line in skipped:
    print(line)
print(f"{passed} passed, {failed} failed" + (f", {len(skipped)} skipped" if skipped else ""))
sys.exit(1 if failed or not passed else 0)
