"""Times training steps of `gradus bench step`, fused, composed and expanded, in turns:

    compare_steps.py build/gradus [--before OTHER/gradus] [--models tiny:32 mini:16 small:8]
                     [--threads 2 1] [--rounds 4]

Prints the fused step's median and the medians of the rounds' ratios to it; of an older program
(--before) the same, as before / now. Models are SIZE:SEQUENCES.
"""

import argparse
import json
import os
import statistics
import subprocess

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("program")
parser.add_argument("--before")
parser.add_argument("--models", nargs="+", default=["tiny:32", "mini:16", "small:8"])
parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
parser.add_argument("--rounds", type=int, default=4)
options = parser.parse_args()
environment = {
    k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
}


def step(program, model, threads, *more):
    """What one run says, as JSON."""
    size, sequences = model.split(":")
    command = [program, "bench", "step", "--model", size, "--batch", sequences, "--steps", "6"]
    command += ["--threads", str(threads), "--json", *more]
    said = subprocess.run(command, env=environment, text=True, stdout=subprocess.PIPE, check=True)
    return json.loads(said.stdout.strip().split("\n")[-1])


kinds = {"fused": (options.program,)}
if options.before:
    kinds["before"] = (options.before,)
for ops in ("composed", "expanded"):
    kinds[ops] = (options.program, "--ops", ops)
print("| model | fused | " + " | ".join(list(kinds)[1:]) + " |")
print("|---|---:|" + "---:|" * (len(kinds) - 1))
for threads in options.threads:
    for model in options.models:
        seconds = {kind: [] for kind in kinds}
        for _ in range(options.rounds):
            for kind, (program, *more) in kinds.items():
                last = step(program, model, threads, *more)
                seconds[kind].append(last["step_s"])
        cells = [f"{1e3 * statistics.median(seconds['fused']):.0f} ms"]
        for kind in list(kinds)[1:]:
            ratios = [a / b for a, b in zip(seconds[kind], seconds["fused"])]
            cells.append(f"{statistics.median(ratios):.2f}")
        name = f"{model.replace(':', ', ')} x 128, {threads} thread{'s' if threads > 1 else ''}"
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
print(f"\nkernels {last['kernels']}, OpenBLAS core {last['blas_core']}", end="")
print(f", sgemm {last['sgemm']:.0f} GFLOP/s at the last run")
