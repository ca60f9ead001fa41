"""What pretraining brings: a model of `gradus demo` on the story world's tasks, beside the same architecture from random weights, several seeds each.

  build/gradus demo --out d && python3 scripts/compare_story_tasks.py d [--seeds 1..5] [--max-steps 400] [--gradus build/gradus]

Prints a table, and exits with 1 where for some task the worst pretrained seed is not above the best random one. Needs nothing but Python.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

TASKS = {"sentiment": ("classify", "tsv"), "entailment": ("classify", "tsv"), "similarity": ("regress", "tsv"), "topics": ("multilabel", "jsonl"), "entities": ("ner", "conll"),
         "questions": ("qa", "json"), "endings": ("choice", "csv")}


def scores(options, task, *more):
    kind, ending = TASKS[task]
    with tempfile.TemporaryDirectory() as out:
        files = [f"--{part}={options.demo / 'tasks' / f'{task}.{part}.{ending}'}" for part in ("train", "validation")]
        column = ["--label-column", "score"] if kind == "regress" else []
        command = [options.gradus, "finetune", kind, *files, *column, "--model", options.demo / "model", "--out", out, "--overwrite", "--seeds", options.seeds, "--max-steps", options.max_steps,
                   "--eval-steps", options.max_steps, "--learning-rate", options.learning_rate, "--dropout", 0, *more]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
        return json.loads((pathlib.Path(out) / "all_results.json").read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("demo", type=pathlib.Path, help="the folder that `gradus demo` made")
    parser.add_argument("--tasks", nargs="+", default=TASKS, choices=TASKS)
    parser.add_argument("--seeds", default="1..5")
    parser.add_argument("--max-steps", type=int, default=400)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--gradus", default="build/gradus")
    options = parser.parse_args()
    print(f"{options.max_steps} steps of 32 examples at {options.learning_rate:g}, seeds {options.seeds}: mean ± standard deviation (worst … best)")
    print("| task | metric | pretrained | random weights | apart |\n|---|---|---|---|---|")
    apart = []
    for task in options.tasks:
        pretrained, random = scores(options, task), scores(options, task, "--random-init")
        apart.append(min(pretrained["scores"]) > max(random["scores"]))
        cell = lambda r: f"{r['mean']:.3f} ± {r['standard_deviation']:.3f} ({min(r['scores']):.3f} … {max(r['scores']):.3f})"
        print(f"| {task} | {pretrained['metric']} | {cell(pretrained)} | {cell(random)} | {'yes' if apart[-1] else 'no'} |", flush=True)
    raise SystemExit(not all(apart))


main()
