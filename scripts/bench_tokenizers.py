"""Encodes text with Gradus and with the `tokenizers` package in turns, one thread each, offsets
included: bench_tokenizers.py build/bench/bench-tokenizer VOCAB FILE...

Prints both medians and their ratio. Take tens of megabytes of real text. Needs `pip install
tokenizers`.
"""

import json
import os
import statistics
import subprocess
import sys
import time

os.environ |= {
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}  # read when the package is loaded
import tokenizers

program, vocabulary, *files = sys.argv[1:]
theirs = tokenizers.BertWordPieceTokenizer(vocabulary)
lines = [line for file in files for line in open(file, encoding="utf-8")]
megabytes = sum(len(line.encode()) for line in lines) / 1e6
rounds = []
for _ in range(5):
    ours = json.loads(
        subprocess.run([program, vocabulary, *files], check=True, capture_output=True).stdout
    )
    start = time.perf_counter()
    tokens = sum(
        len(encoded.ids) for encoded in theirs.encode_batch(lines, add_special_tokens=False)
    )
    rounds.append(
        (ours["with_offsets_mb_s"], ours["ids_mb_s"], megabytes / (time.perf_counter() - start))
    )
    assert tokens == ours["tokens"], (tokens, ours["tokens"])
    print(
        "gradus {:.1f} MB/s ({:.1f} ids alone), tokenizers {:.2f} MB/s".format(*rounds[-1]),
        flush=True,
    )
gradus, ids, package = map(statistics.median, zip(*rounds))
ratio = statistics.median(ours / other for ours, _, other in rounds)
print(
    f"medians over {megabytes:.1f} MB, {tokens} tokens: gradus {gradus:.1f} MB/s ({ids:.1f} ids alone), tokenizers {tokenizers.__version__} {package:.2f} MB/s: {ratio:.1f} times"
)
