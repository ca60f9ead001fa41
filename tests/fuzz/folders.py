"""Damages whole folders and gives them to the program: each is used or refused, whatever is changed.

    folders.py GRADUS [TIMES] [SEED]

A folder of each kind (pretrained, fine-tuned for each of four tasks, adapters, stopped runs) is
made by GRADUS itself, half of them without hashes. TIMES (default 2000) one of them is copied and changed: bits, lengths and
names of its files, files gone, empty, twice, exchanged for those of another folder or for a folder
or a link, JSON values exchanged for others. Then predict, eval, fill-mask, convert, embed, finetune
or a resumed run reads it: it must end within a minute, by itself, with exit code 0 or 2, and a
refusal is one printable line of at most 500 characters. Made for a GRADUS with sanitizers.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

gradus = Path(sys.argv[1]).resolve()
times = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
random.seed(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
environment = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:exitcode=99",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=98",
}
work = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))


def run(arguments, limit=60):
    return subprocess.run(
        [gradus, *map(str, arguments)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=limit,
    )


def must(*arguments):
    done = run(arguments, 600)
    if done.returncode != 0:
        sys.exit(f"gradus {' '.join(map(str, arguments))}: {done.stderr.decode(errors='replace')}")


# ---- folders of each kind

texts = work / "texts.txt"
texts.write_text("\n\n".join("Ann saw Ben. Ben saw Rome.\nRome is in Ann." for _ in range(30)))
(work / "words").mkdir()
labelled = {
    "classify": ("train.tsv", "text\tlabel\n" + "Ann saw\tgood\nBen is\tbad\n" * 8),
    "regress": ("values.tsv", "text\tlabel\n" + "Ann saw\t1.5\nBen is\t-2\n" * 8),
    "ner": ("tags.conll", "Ann B-PER\nsaw O\n\nRome B-LOC\nis O\n\n" * 8),
    "qa": (
        "squad.json",
        json.dumps(
            {
                "data": [
                    {
                        "paragraphs": [
                            {
                                "context": "Ann saw Ben.",
                                "qas": [
                                    {
                                        "id": str(i),
                                        "question": "Ann?",
                                        "answers": [{"text": "Ben", "answer_start": 8}],
                                    }
                                    for i in range(16)
                                ],
                            }
                        ]
                    }
                ]
            }
        ),
    ),
}
for name, text in labelled.values():
    (work / name).write_text(text)
must("vocab", "--corpus", texts, "--size", 60, "--out", work / "words/vocab.txt")
must(
    "data", "build", "--corpus", texts, "--vocab", work / "words/vocab.txt", "--out", work / "c.gds"
)
SMALL = {
    "model_type": "bert",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
    "vocab_size": len((work / "words/vocab.txt").read_text().splitlines()),
}
(work / "config.json").write_text(json.dumps(SMALL))
pretrain = ["pretrain", "--data", work / "c.gds", "--model", work / "config.json"]
pretrain += ["--max-seq-length", 24, "--batch-size", 4, "--save-steps", 2]
must(*pretrain, "--max-steps", 4, "--out", work / "pretrained")


def learn(kind, out, *more):
    return [
        *("finetune", kind, "--model", work / "pretrained", "--train", work / labelled[kind][0]),
        *("--out", out, "--epochs", 1, "--batch-size", 4, "--max-seq-length", 24, *more),
    ]


def uses_of(kind):
    data = work / labelled[kind][0]
    return [
        lambda f: ["predict", "--model", f, data],
        lambda f: ["eval", "--model", f, data],
        lambda f: ["finetune", kind, "--model", f, "--train", data, "--out", work / "again"]
        + ["--epochs", 1, "--max-seq-length", 24, "--overwrite"],
    ]


kinds = {
    "pretrained": [
        lambda f: ["fill-mask", "--model", f, "Ann [MASK] Ben."],
        lambda f: ["convert", "--model", f, "--out", work / "converted", "--overwrite"],
        lambda f: ["embed", "--model", f, "--out", work / "v.jsonl", "--overwrite", texts],
        lambda f: ["pretrain", "--init", f, *pretrain[1:3], "--out", work / "again"]
        + ["--max-seq-length", 24, "--max-steps", 2, "--overwrite"],
    ],
    "stopped": [lambda f: [*stopped, "--out", f, "--resume"]],
}
stopped = [*pretrain, "--max-steps", 12, "--save-total-limit", 9]
must(*stopped, "--out", work / "stopped")
(work / "stopped/trainer_state.json").unlink()  # as killed after step 5
for step in range(6, 13, 2):
    shutil.rmtree(work / f"stopped/checkpoint-{step}")
for kind in labelled:
    must(*learn(kind, work / kind))
    kinds[kind] = uses_of(kind)
must(*learn("classify", work / "adapters", "--lora-rank", 2))
kinds["adapters"] = uses_of("classify")

# ---- what happens to them


def files_of(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def other_value(value):
    return random.choice(
        [None, True, -1, 0, 2**31, 2**63, 10**30, 1e308, 0.5, "", "x" * 1000, "\x1b[2J", [], {}]
        + [[value] * 3, {"a": value}, str(value)]
    )


def change_json(path):
    try:
        content = json.loads(path.read_text())
    except (ValueError, UnicodeDecodeError):
        return
    places = []

    def walk(node):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], (dict, list)):
                walk(node[key])

    if isinstance(content, (dict, list)):
        walk(content)
    if places:
        node, key = random.choice(places)
        if random.random() < 0.2:
            del node[key]
        else:
            node[key] = other_value(node[key])
    path.write_text(json.dumps(content))


def drop_hashes(folder):
    """As if another tool had written it: what changes later is not noticed by its hash."""
    for path in folder.glob("*.safetensors"):
        content = path.read_bytes()
        size = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + size])
        header.pop("__metadata__", None)
        packed = json.dumps(header).encode()
        packed += b" " * (-len(packed) % 8)
        path.write_bytes(len(packed).to_bytes(8, "little") + packed + content[8 + size :])


def change(folder):
    path = random.choice(files_of(folder))
    what = random.choice(
        "bits bits bits length length json json json json gone empty foreign folder link grown"
        " twice line".split()
    )
    content = bytearray(path.read_bytes())
    if what == "json":
        path = random.choice([p for p in files_of(folder) if p.suffix == ".json"])
        change_json(path)
    elif what == "bits" and content:
        for _ in range(random.choice([1, 1, 3, 50])):
            near = len(content) if random.random() < 0.5 else min(len(content), 600)
            content[random.randrange(near)] ^= 1 << random.randrange(8)
        path.write_bytes(content)
    elif what == "length":
        path.write_bytes(content[: random.randrange(len(content) + 1)])
    elif what == "gone":
        path.unlink()
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "foreign":
        others = [p for k in kinds for p in files_of(work / k) if p.name == path.name]
        path.write_bytes(random.choice(others).read_bytes())
    elif what in ("folder", "link"):
        path.unlink()
        if what == "folder":
            path.mkdir()
        else:
            path.symlink_to(random.choice(["nowhere", path.name, "/dev/null", "/proc/self/mem"]))
    elif what == "grown":
        path.write_bytes(content + random.randbytes(random.choice([1, 8, 5000])))
    elif what == "twice":
        path.write_bytes(content + content)
    elif what == "line":
        lines = content.splitlines(keepends=True)
        if len(lines) > 1:
            a, b = random.randrange(len(lines)), random.randrange(len(lines))
            lines[a], lines[b] = lines[b], lines[a]
        path.write_bytes(b"".join(lines))
    return f"{what} {path.relative_to(folder)}"


def fault(done):
    """What is wrong with how the program ended; empty where nothing is."""
    said = done.stderr
    if done.returncode not in (0, 2):
        return f"exit code {done.returncode}"
    if b"Sanitizer" in said or b"runtime error" in said:
        return "a sanitizer's report"
    lines = [line for line in said.split(b"\n") if line.startswith(b"gradus: ")]
    if done.returncode == 2 and len(lines) != 1:
        return f"{len(lines)} lines of error"
    for line in lines:
        if len(line) > 500:
            return f"a line of {len(line)} bytes"
        if any(byte < 32 or byte == 127 for byte in line):
            return "a line that is not printable"
    return ""


ends, faults = Counter(), 0
for number in range(times):
    kind = random.choice(list(kinds))
    folder = work / "damaged"
    for old in (folder, work / "again", work / "converted"):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(work / kind, folder)
    if random.random() < 0.5:
        drop_hashes(folder)
    changes = [change(folder) for _ in range(random.choice([1, 1, 1, 2, 3]))]
    use = random.choice(kinds[kind])(folder)
    try:
        done = run(use)
        wrong = fault(done)
        ends[done.returncode] += 1
    except subprocess.TimeoutExpired:
        done, wrong = None, "no end within a minute"
    if wrong:
        faults += 1
        print(
            f"{number}: {kind}, {'; '.join(changes)}: gradus {' '.join(map(str, use))}: {wrong}",
            flush=True,
        )
        if done:
            print("   " + done.stderr.decode(errors="replace")[:3000].replace("\n", "\n   "))
    elif (number + 1) % 200 == 0:
        print(f"{number + 1} of {times}", flush=True)
shutil.rmtree(work)
print(f"{times} damaged folders: {ends[0]} used, {ends[2]} refused, {faults} faults")
sys.exit(faults > 0)
