"""What pretraining brings: a model of `gradus demo` on the story world's tasks, beside the same architecture from random weights, several seeds each, with the demo's own steps and rates.

  build/gradus demo --out d && python3 scripts/compare_story_tasks.py d [--seeds 1..5] [--gradus build/gradus]

Prints a table, and exits with 1 where for some task the worst pretrained seed is not above the best random one. Needs nothing but Python.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

TASKS = ("sentiment", "entailment", "similarity", "topics", "entities", "questions", "endings")


def scores(options, run, *more):
    """all_results.json of the demo's run `run`, repeated with several seeds."""
    column = ["--label-column", "score"] if run["task"] == "regress" else []
    with tempfile.TemporaryDirectory() as out:
        command = [options.gradus, "finetune", run["task"], "--train", run["train_file"], "--validation", run["validation_file"], *column, "--model", run["model"], "--out", out, "--overwrite",
                   "--seeds", options.seeds, "--max-steps", run["max_steps"], "--eval-steps", run["max_steps"], "--learning-rate", run["learning_rate"],
                   "--dropout", run["hidden_dropout_prob"], *more]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
        return json.loads((pathlib.Path(out) / "all_results.json").read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("demo", type=pathlib.Path, help="the folder that `gradus demo` made")
    parser.add_argument("--tasks", nargs="+", default=TASKS, choices=TASKS)
    parser.add_argument("--seeds", default="1..5")
    parser.add_argument("--gradus", default="build/gradus")
    options = parser.parse_args()
    print("| task | metric | steps, rate | pretrained: mean ± deviation (worst) | random weights: mean ± deviation (best) |\n|---|---|---|---|---|")
    apart = True
    for task in options.tasks:
        run = json.loads((options.demo / "tasks" / task / "run.json").read_text())
        pretrained, random = scores(options, run), scores(options, run, "--random-init")
        worst, best = min(pretrained["scores"]), max(random["scores"])
        apart &= worst > best
        print(f"| {task} | {pretrained['metric']} | {run['max_steps']}, {run['learning_rate']:g} | {pretrained['mean']:.3f} ± {pretrained['standard_deviation']:.3f} ({worst:.3f}) "
              f"| {random['mean']:.3f} ± {random['standard_deviation']:.3f} ({best:.3f}) |", flush=True)
    print("every pretrained seed is above every random one" if apart else "NOT every pretrained seed is above every random one")
    raise SystemExit(not apart)


main()
