"""Times single ops in Gradus and in PyTorch, in turns, and prints a Markdown table:

    compare_ops.py build/bench/bench-ops --python PYTHON [--threads 1 2] [--rounds 7] [--only NAME…]

PYTHON is an interpreter that has torch. In each round both sides run an op for 30 ms, one after the
other; what is printed is the median of the rounds' medians, and the ratio is the median of the
rounds' ratios, so a machine that slows down slows both.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("program")
parser.add_argument("--python", required=True)
parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
parser.add_argument("--rounds", type=int, default=7)
parser.add_argument("--only", nargs="+")
options = parser.parse_args()
torch_side = str(pathlib.Path(__file__).resolve().parent.parent / "bench" / "bench_ops_torch.py")


class Side:
    """A program that answers names of ops with their times."""

    def __init__(self, command, threads):
        environment = {
            k: v
            for k, v in os.environ.items()
            if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
        }
        environment |= {"OMP_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.about = json.loads(self.process.stdout.readline())

    def median_ms(self, op):
        self.process.stdin.write(op + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["median_ms"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


columns, about = {}, []
for threads in options.threads:
    gradus, torch = Side([options.program, "--serve"], threads), Side(
        [options.python, torch_side], threads
    )
    assert gradus.about["ops"] == torch.about["ops"], "the two sides have different ops"
    for op in options.only or gradus.about["ops"]:
        rounds = [(gradus.median_ms(op), torch.median_ms(op)) for _ in range(options.rounds)]
        ours, theirs = map(statistics.median, zip(*rounds))
        columns.setdefault(op, []).append(
            (ours, theirs, statistics.median(b / a for a, b in rounds))
        )
    about.append((threads, gradus.about, torch.about, columns.get("matmul", [(0,)])[-1][0]))
    gradus.close()
    torch.close()

head = [f"Gradus, {t} thread{'s' if t > 1 else ''} | PyTorch | times" for t in options.threads]
print("| milliseconds | " + " | ".join(head) + " |")
print("|---|" + "---:|" * 3 * len(options.threads))
for op, cells in columns.items():
    print(f"| {op} | " + " | ".join(f"{a:.3f} | {b:.3f} | {r:.2f}" for a, b, r in cells) + " |")
print()
for threads, ours, theirs, matmul in about:
    rate = f", sgemm {2 * 1024**3 / matmul / 1e6:.0f} GFLOP/s" if matmul else ""
    print(
        f"{threads} thread{'s' if threads > 1 else ''}: kernels {ours['kernels']}, OpenBLAS core {ours['blas_core']}{rate}; PyTorch {theirs['version']}."
    )
