"""Kills training again and again, and goes on each time: the end is that of the run that was never
killed, to the last bit, and at no moment is a folder unloadable or mixed.

    crash.py GRADUS KILL.SO [KILLS] [SEED]

Three stories, each with a third of the KILLS (default 25; the long mode is 1000):
  pretrain   checkpoints every two steps, accumulated steps, an evaluation every third
  finetune   the best model so far, adapters in turn, into an empty folder
  replace    a model whose labels are swapped is written over; each call that changes a file
A kill is at a random moment, or at a random call that changes a file (kill.c). After each, the
folder must hold no model yet, or answer as one of the models that it may hold.
"""

import filecmp
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

gradus, shim = sys.argv[1], sys.argv[2]
kills = int(sys.argv[3]) if len(sys.argv) > 3 else 25
random.seed(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
CLOCK = {
    "tokens_per_second",
    "sgemm_share",
    "train_runtime",
    "eval_runtime",
    "seconds",
    "flop",
}
counts = {"by the clock": 0, "at a call": 0, "ended before": 0}


def fail(text):
    print(f"FAILED: {text}")
    sys.exit(1)


def run(arguments, **environment):
    done = subprocess.run(
        [gradus, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def must(arguments):
    code, said = run(arguments)
    if code != 0:
        fail(f"gradus {' '.join(map(str, arguments))} ended with {code}:\n{said}")
    return said


def calls_of(arguments, scratch):
    """How many calls that change a file the command makes."""
    count = scratch / "count"
    run(arguments, LD_PRELOAD=shim, GRADUS_KILL_COUNT=str(count))
    return int(count.read_text())


def killed(arguments, calls, seconds):
    """Runs the command and kills it, at a call or by the clock; whether it was killed."""
    if random.random() < 0.6:
        code, said = run(arguments, LD_PRELOAD=shim, GRADUS_KILL_AT=str(random.randint(1, calls)))
        how = "at a call"
    else:
        process = subprocess.Popen(
            [gradus, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        time.sleep(random.random() * seconds)
        process.kill()
        said, _ = process.communicate()
        code, how = process.returncode, "by the clock"
    if code == -signal.SIGKILL:
        counts[how] += 1
        return True
    if code != 0:
        fail(f"gradus {' '.join(map(str, arguments))} ended with {code}:\n{said}")
    counts["ended before"] += 1
    return False


def timeless(value):
    if isinstance(value, dict):
        return {key: timeless(v) for key, v in value.items() if key not in CLOCK}
    if isinstance(value, list):
        return [timeless(v) for v in value]
    return value


def files_of(folder):
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("events.out")
    }


def compare(whole, pieces, story):
    """Every file of one folder is in the other, and says the same but for the clock."""
    if files_of(whole) != files_of(pieces):
        fail(f"{story}: other files: {files_of(whole) ^ files_of(pieces)}")
    for name in files_of(whole):
        a, b = whole / name, pieces / name
        if name.endswith("metrics.jsonl"):
            read = lambda path: [timeless(json.loads(line)) for line in open(path)]
            same = read(a) == read(b)
        elif name.endswith("trainer_state.json"):
            read = lambda path: timeless(json.loads(path.read_text()))
            same = read(a) == read(b)
        elif name.endswith("checkpoint.json"):
            continue  # the hashes of files that tell the time
        else:
            same = filecmp.cmp(a, b, shallow=False)
        if not same:
            fail(f"{story}: {name} is not that of the run that was never killed")
    leftovers = [
        p.name for p in pieces.parent.iterdir() if ".tmp-" in p.name
    ]
    if leftovers:
        fail(f"{story}: left behind: {leftovers}")


def answers(folder, text):
    """What the model in the folder says; None where there is none yet."""
    code, said = run(["predict", "--model", folder, text])
    if code == 0:
        return said
    if (
        not (folder / "model.safetensors").exists()
        and not (folder / "adapter_model.safetensors").exists()
    ):
        return None
    fail(f"{folder} cannot be loaded:\n{said}")


def kill_and_go_on(story, command, whole, pieces, share, after):
    """Until `share` kills are done: the run is killed and resumed, to its end; then anew."""
    start = time.time()
    must([*command, "--out", whole])
    seconds = time.time() - start
    counting = whole.parent / "counting"
    calls = calls_of([*command, "--out", counting], whole.parent)
    done = rounds = 0
    while done < share:
        shutil.rmtree(pieces, ignore_errors=True)
        resumed = [*command, "--out", pieces, "--resume"]
        while done < share and killed(resumed, calls, seconds):
            done += 1
            after(pieces)
        must(resumed)
        compare(whole, pieces, story)
        rounds += 1
    print(f"{story}: {done} kills in {rounds} runs of {calls} calls that change a file", flush=True)


def write_texts(path, swapped=False):
    yes, no = ("bad", "good") if swapped else ("good", "bad")
    lines = ["sentence\tlabel"]
    for i in range(60):
        word, label = ("happy", yes) if i % 3 else ("sad", no)
        lines.append(f"the {word} cat number {i % 7} sat\t{label}")
    path.write_text("\n".join(lines) + "\n")


with tempfile.TemporaryDirectory(prefix="gradus-crash-") as name:
    scratch = Path(name)
    must(["data", "story", "--documents", 120, "--out", scratch / "world"])
    stories = next((scratch / "world").glob("*.txt"))
    must(["vocab", "--corpus", stories, "--size", 400, "--out", scratch / "vocab.txt"])
    must(
        ["data", "build", "--corpus", stories, "--vocab", scratch / "vocab.txt"]
        + ["--validation-fraction", 0.1, "--out", scratch / "c.gds"]
    )
    config = {
        "model_type": "bert",
        "vocab_size": len((scratch / "vocab.txt").read_text().splitlines()),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
    }
    (scratch / "config.json").write_text(json.dumps(config))
    pretrain = ["pretrain", "--data", scratch / "c.gds", "--model", scratch / "config.json"]
    pretrain += ["--max-seq-length", 48, "--batch-size", 4, "--gradient-accumulation-steps", 2]
    pretrain += ["--max-steps", 13, "--eval-steps", 3, "--eval-instances", 20]
    pretrain += ["--logging-steps", 5, "--save-steps", 2, "--save-total-limit", 2]

    def loads(folder):
        if (folder / "model.safetensors").exists():
            must(["fill-mask", "--model", folder, "the cat [MASK] on the mat ."])

    share = max(kills // 3, 1)
    kill_and_go_on("pretrain", pretrain, scratch / "whole", scratch / "pieces", share, loads)

    write_texts(scratch / "train.tsv")
    write_texts(scratch / "swapped.tsv", swapped=True)
    test = scratch / "test.tsv"
    test.write_text("sentence\nthe happy cat sat\nthe sad cat sat\n")
    tune = ["finetune", "classify", "--model", scratch / "whole", "--epochs", 2]
    tune += ["--learning-rate", 1e-3, "--validation", scratch / "train.tsv", "--batch-size", 8]
    tune += ["--train", scratch / "train.tsv", "--save-steps", 3, "--eval-steps", 4]
    for lora in ([], ["--lora-rank", 2]):
        there = scratch / f"tuned{len(lora)}"
        there.mkdir()
        kill_and_go_on(
            "finetune" + (" with adapters" if lora else ""),
            tune + lora,
            there / "whole",
            there / "pieces",
            max(share // 2, 1),
            lambda folder: answers(folder, test),
        )

    # A model is written over by one whose labels mean the opposite.
    old, new, both = scratch / "old", scratch / "tuned0" / "whole", scratch / "both"
    must(
        ["finetune", "classify", "--model", scratch / "whole", "--epochs", 1]
        + ["--train", scratch / "swapped.tsv", "--labels", "good,bad", "--out", old]
    )
    allowed = {answers(old, test), answers(new, test)}
    if len(allowed) != 2:
        fail("replace: the two models say the same")
    overwrite = ["convert", "--model", new, "--out", both, "--overwrite"]
    shutil.copytree(old, both)
    calls = calls_of(overwrite, scratch)
    left = kills - 2 * share - (share + 1) // 2
    places = (
        range(1, calls + 1) if left >= calls else random.sample(range(1, calls + 1), max(left, 1))
    )
    for place in places:
        shutil.rmtree(both)
        shutil.copytree(old, both)
        code, said = run(overwrite, LD_PRELOAD=shim, GRADUS_KILL_AT=str(place))
        counts["at a call"] += code == -signal.SIGKILL
        if answers(both, test) not in allowed:
            fail(f"replace: at call {place} of {calls} the folder became a mixture")
        must(overwrite)
        if answers(both, test) != answers(new, test):
            fail(f"replace: written over after a kill at call {place}, it is not the new model")
        if [p for p in scratch.iterdir() if ".tmp-" in p.name]:
            fail(f"replace: a folder is left behind after a kill at call {place}")
    print(f"replace: {len(places)} of {calls} calls")
print(", ".join(f"{count} {how}" for how, count in counts.items()))
