"""What pretraining brings: a model of `gradus demo` on the story world's tasks, beside the same
architecture from random weights, several seeds each, with the demo's own steps and rates.

  build/gradus demo --out d && python3 scripts/compare_story_tasks.py d [--seeds 1..5] [--gradus
  build/gradus]

Prints a table, and exits with 1 where for some task the worst pretrained seed is not above the best
random one. Needs nothing but Python.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

TASKS = ("sentiment", "entailment", "similarity", "topics", "entities", "questions", "endings")


def scores(options, run, *more):
    """The scores of the demo's run `run`, repeated with several seeds, and what they are."""
    column = ["--label-column", "score"] if run["task"] == "regress" else []
    with tempfile.TemporaryDirectory() as out:
        train, validation = (
            options.demo / "tasks" / pathlib.Path(run[file]).name
            for file in ("train_file", "validation_file")
        )
        command = [
            options.gradus,
            "finetune",
            run["task"],
            "--train",
            train,
            "--validation",
            validation,
            *column,
            "--model",
            options.demo / "model",
            "--out",
            out,
            "--overwrite",
            "--seeds",
            options.seeds,
            "--max-steps",
            run["max_steps"],
            "--eval-steps",
            run["max_steps"],
            "--learning-rate",
            run["learning_rate"],
            "--dropout",
            run["hidden_dropout_prob"],
            *more,
        ]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
        result = json.loads((pathlib.Path(out) / "all_results.json").read_text())
        percent = 100 if run["task"] == "qa" else 1  # SQuAD's scores are in percent
        return [score / percent for score in result["scores"]], result["metric"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("demo", type=pathlib.Path, help="the folder that `gradus demo` made")
    parser.add_argument("--tasks", nargs="+", default=TASKS, choices=TASKS)
    parser.add_argument("--seeds", default="1..5", help="at least two")
    parser.add_argument("--gradus", default="build/gradus")
    options = parser.parse_args()
    print(
        "| task | metric | steps, rate | pretrained: mean ± deviation (worst) | random weights: mean ± deviation (best) |\n|---|---|---|---|---|"
    )
    apart = True
    for task in options.tasks:
        run = json.loads((options.demo / "tasks" / task / "run.json").read_text())
        (pretrained, metric), (random, _) = scores(options, run), scores(
            options, run, "--random-init"
        )
        apart &= min(pretrained) > max(random)
        cell = lambda values: f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}"
        print(
            f"| {task} | {metric} | {run['max_steps']}, {run['learning_rate']:g} | {cell(pretrained)} ({min(pretrained):.3f}) | {cell(random)} ({max(random):.3f}) |",
            flush=True,
        )
    print(
        "every pretrained seed is above every random one"
        if apart
        else "NOT every pretrained seed is above every random one"
    )
    raise SystemExit(not apart)


main()
