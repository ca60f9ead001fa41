"""Looks for inputs that make a reader fall, with libFuzzer: each format for a while, two at a time.

    run.py FUZZER [--seconds 600] [--jobs 2] [FORMAT...]

FUZZER is tests/fuzz/fuzzer of a build with Clang, -Dfuzz=true and the sanitizers; `scripts/check.sh
sanitizers fuzz` makes it and runs this. What is found is kept in FUZZER-findings/FORMAT: mend the
reader, and put the file, made small, into tests/fuzz/cases/FORMAT. Inputs that reach something new
are kept in FUZZER-corpus/FORMAT, from where the next run goes on. Ends with a table and the totals,
and with 1 where something was found.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MEMORY_MIB, SECONDS_AN_INPUT, BYTES_AN_INPUT = 2048, 20, 1 << 16

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("fuzzer", type=Path)
parser.add_argument("--seconds", type=int, default=600)
parser.add_argument("--jobs", type=int, default=2)
parser.add_argument("formats", nargs="*", help="default: all")
options = parser.parse_args()
options.fuzzer = options.fuzzer.resolve()
if not options.formats:
    options.formats = subprocess.run(
        [options.fuzzer], check=True, capture_output=True, text=True
    ).stdout.split()
memory = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else Path(tempfile.gettempdir())


def fuzz(name):
    findings = Path(f"{options.fuzzer}-findings") / name
    corpus = Path(f"{options.fuzzer}-corpus") / name
    for folder in (findings, corpus):
        folder.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "GRADUS_FUZZ": name,
        "OMP_NUM_THREADS": "1",
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    }
    said = ""
    with tempfile.TemporaryDirectory(dir=memory) as scratch:
        environment["TMPDIR"] = scratch
        subprocess.run(
            [options.fuzzer], env={**environment, "GRADUS_FUZZ_SEEDS": str(corpus)}, check=True
        )
        done = subprocess.run(
            [
                options.fuzzer,
                f"-max_total_time={options.seconds}",
                f"-rss_limit_mb={MEMORY_MIB}",
                f"-timeout={SECONDS_AN_INPUT}",
                f"-max_len={BYTES_AN_INPUT}",
                f"-artifact_prefix={findings}/",
                "-print_final_stats=1",
                corpus,
            ],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        said = done.stdout
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
    reached = re.findall(r"\bcov: (\d+)", said)
    found = done.returncode != 0
    if found:
        (findings / "report.txt").write_text(said[-20000:])
    print(f"  {name}: {'FOUND something, see ' + str(findings) if found else 'done'}", flush=True)
    return name, int(runs[1]) if runs else 0, int(reached[-1]) if reached else 0, found


print(
    f"{len(options.formats)} formats, {options.seconds} s each, {options.jobs} at a time",
    flush=True,
)
with ThreadPoolExecutor(options.jobs) as pool:
    rows = list(pool.map(fuzz, options.formats))
print(f"\n{'format':<12} {'inputs':>10} {'edges':>7}  finding")
for name, runs, reached, found in rows:
    print(f"{name:<12} {runs:>10,} {reached:>7,}  {'YES' if found else '-'}")
print(
    f"{sum(row[1] for row in rows):,} inputs of {len(rows)} formats,"
    f" {sum(row[3] for row in rows)} with findings"
)
sys.exit(any(row[3] for row in rows))
