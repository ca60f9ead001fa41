"""The ops of bench/ops.cpp in PyTorch, by the same names: scripts/compare_ops.py runs both in
turns.

bench_ops_torch.py reads names of ops from standard input, a line each, and answers each with a JSON
line.
"""

import json
import os
import sys
import time

import torch
import torch.nn.functional as F

threads = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))
torch.set_num_threads(threads)
torch.manual_seed(1)
n = 1024
x, y = torch.randn(n, n), torch.randn(n, n)
positive, row, column, halves, few = (
    x.square() + 0.1,
    torch.randn(n),
    torch.randn(n, 1),
    torch.randn(n, n // 2),
    torch.randn(32),
)
heads, tokens, cosine, sine = (
    torch.randn(8, 128, 16, 64),
    torch.randn(n, 16, 64),
    torch.randn(n, 1, 32),
    torch.randn(n, 1, 32),
)
below = x < 0
picks, rows = torch.randint(n, (n, n)), torch.randint(n, (n,))
leaf, slope = x.clone().requires_grad_(), column.clone().requires_grad_()


def rotary(x, cosine, sine):
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cosine - b * sine, b * cosine + a * sine], dim=-1)


def gradients(f, xs):
    def run():
        with torch.enable_grad():
            return torch.autograd.grad(f(), xs, y)

    return run


ops = {
    "x + y": lambda: x + y,
    "x * y": lambda: x * y,
    "x / y": lambda: x / y,
    "x + row": lambda: x + row,
    "x * column": lambda: x * column,
    "x * 2": lambda: x * 2,
    "maximum(x, y)": lambda: torch.maximum(x, y),
    "x < y": lambda: x < y,
    "where(c, x, y)": lambda: torch.where(below, x, y),
    "square(x)": lambda: x.square(),
    "sqrt(x)": lambda: positive.sqrt(),
    "relu(x)": lambda: x.relu(),
    "exp(x)": lambda: x.exp(),
    "log(x)": lambda: positive.log(),
    "tanh(x)": lambda: x.tanh(),
    "gelu(x)": lambda: F.gelu(x),
    "x.T + y": lambda: x.T + y,
    "copy of x.T": lambda: x.T.contiguous(),
    "copy of heads": lambda: heads.permute(0, 2, 1, 3).contiguous(),
    "copy of a slice": lambda: x[:, 256:768].clone(memory_format=torch.contiguous_format),
    "cast to f64": lambda: x.double(),
    "concat, axis 0": lambda: torch.cat([x, y], 0),
    "concat, axis 1": lambda: torch.cat([halves, halves], 1),
    "take rows": lambda: x[rows],
    "gather": lambda: x.gather(1, picks),
    "sum": lambda: x.sum(),
    "sum, axis 0": lambda: x.sum(0),
    "sum, axis 1": lambda: x.sum(1),
    "mean, axis 1": lambda: x.mean(1),
    "var, axis 1": lambda: x.var(1),
    "max, axis 0": lambda: x.amax(0),
    "max, axis 1": lambda: x.amax(1),
    "argmax, axis 1": lambda: x.argmax(1),
    "softmax": lambda: x.softmax(-1),
    "log_softmax": lambda: x.log_softmax(-1),
    "layer_norm": lambda: F.layer_norm(x, (n,), row, row, 1e-5),
    "rotary, composed": lambda: rotary(tokens, cosine, sine),
    "x * column, backward": gradients(lambda: leaf * slope, [leaf, slope]),
    "softmax, backward": gradients(lambda: leaf.softmax(-1), [leaf]),
    "32 numbers: x + x": lambda: few + few,
    "matmul": lambda: x @ y,
}


def milliseconds_of(run):
    start = time.perf_counter()
    result = run()
    end = time.perf_counter()
    del result
    return (end - start) * 1e3


def measure(name):
    """As bench/ops.cpp: the median and the least of as many runs as fit 30 ms, 5 at least, after
    three that warm up."""
    run = ops[name]
    for _ in range(3):
        milliseconds_of(run)
    times = []
    while sum(times) < 30 or len(times) < 5:
        times.append(milliseconds_of(run))
    times.sort()
    return {"op": name, "median_ms": times[len(times) // 2], "min_ms": times[0]}


if __name__ == "__main__":
    print(
        json.dumps({"version": torch.__version__, "threads": threads, "ops": list(ops)}), flush=True
    )
    with torch.no_grad():
        for line in sys.stdin:
            print(json.dumps(measure(line.rstrip("\n"))), flush=True)
