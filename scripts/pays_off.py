"""Does pretraining pay? Fine-tunes models on labelled sets, each at the best of several learning
rates, beside the first one's architecture with random weights, and prints a table.

  python3 scripts/pays_off.py --data DATA novels=runs/novels minilm=minilm
  [--sets polarity subjectivity qnli wnut17 endings] [--rates 1e-4,3e-4,1e-3,2e-3] [--seeds 5]
  [--most 4000] [--epochs 3] [--options '--layer-decay 0.8'] [--out table.md]

The rate is chosen by the score with the first seed; then all seeds run at it. A cell is the mean,
and the lowest and the highest score of the seeds. "yes" stands where the first model's lowest is
above random weights' highest. DATA has qnli/ (GLUE's dev file in two halves), sentence-polarity/,
subjectivity/ (NLTK's zip files) and wnut17/; endings are the story world's, which `gradus data
story` writes. The standard library alone.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import labelled_sets as sets

ALL = ["polarity", "subjectivity", "qnli", "wnut17", "endings"]


def two_classes(data, archive, folder, classes, most):
    rows = sets.read_two_classes(data / archive / f"{folder}.zip", folder, classes)
    return rows[2000:][:most], rows[:2000]


def prepare(name, options, scratch):
    """Arguments of `gradus finetune`: the kind, and the two files."""
    data, most = options.data, options.most
    if name == "endings":
        folder = scratch / "stories"
        command = [options.gradus, "data", "story", "--out", folder, "--documents", 100, "--tasks"]
        command += ["--train", most, "--validation", 1000, "--seed", 5]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
        (train,) = folder.glob("endings.train.*")
        (validation,) = folder.glob("endings.validation.*")
        return ["choice", "--train", train, "--validation", validation]
    if name == "wnut17":
        folder = data / "wnut17"
        train = sets.some(sets.read_columns(folder / "wnut17train.conll"), most)
        validation = sets.read_columns(folder / "emerging.dev.conll")
        write, ending, kind = sets.write_columns, "conll", "ner"
    else:
        write, ending, kind = sets.write_table, "tsv", "classify"
        if name == "polarity":
            classes = [("rt-polarity.neg", "negative"), ("rt-polarity.pos", "positive")]
            archive = ("sentence-polarity", "sentence_polarity")
            train, validation = two_classes(data, *archive, classes, most)
        elif name == "subjectivity":
            classes = [("plot.tok.gt9.5000", "objective"), ("quote.tok.gt9.5000", "subjective")]
            train, validation = two_classes(data, name, name, classes, most)
        elif name == "qnli":
            rows = sets.read_glue(data / "qnli" / "dev.tsv")
            half = len(rows) // 2
            train, validation = sets.some(rows[:half], most), rows[half:]
        else:
            raise SystemExit(f"no set '{name}'; there are {' '.join(ALL)}")
    files = [scratch / f"{name}-{part}.{ending}" for part in ("train", "validation")]
    for file, rows in zip(files, (train, validation)):
        write(file, rows)
    return [kind, "--train", files[0], "--validation", files[1]]


def score(options, arguments, model, rate, seed, scratch):
    out = scratch / "run"
    command = [options.gradus, "finetune", *arguments, "--model", model, "--out", out]
    command += ["--learning-rate", rate, "--seed", seed, "--epochs", options.epochs, "--overwrite"]
    command += ["--overwrite-better", *options.options.split()]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{run.stderr}")
    return json.loads((out / "trainer_state.json").read_text())["best_metric"]


def row(options, name, models, scratch):
    cells, found = [], []
    prepared = prepare(name, options, scratch)
    for label, model in models:
        extra = ["--random-init"] if label == "random" else []
        arguments = [*prepared, *extra]
        by_rate = {r: score(options, arguments, model, r, 1, scratch) for r in options.rates}
        best = max(by_rate, key=by_rate.get)
        scores = [by_rate[best]]
        scores += [
            score(options, arguments, model, best, s, scratch) for s in range(2, options.seeds + 1)
        ]
        found.append(scores)
        mean, low, high = statistics.mean(scores), min(scores), max(scores)
        cells.append(f"{mean:.3f} ({low:.3f} to {high:.3f}) at {best}")
        print(f"{name} {label}: {cells[-1]}; by rate {by_rate}", file=sys.stderr, flush=True)
    cells.append("yes" if min(found[0]) > max(found[1]) else "no")
    return f"| {name} | {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="+", help="NAME=FOLDER; the first is what is judged")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--sets", nargs="+", default=ALL)
    parser.add_argument("--rates", type=lambda text: text.split(","), default="1e-4,3e-4,1e-3,2e-3")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--most", type=int, default=4000, help="training examples")
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--options", default="", help="more of `gradus finetune`")
    parser.add_argument("--out", type=pathlib.Path, help="the table, as Markdown")
    parser.add_argument("--gradus", default="build/gradus")
    options = parser.parse_args()
    if isinstance(options.rates, str):
        options.rates = options.rates.split(",")
    models = [model.partition("=")[::2] for model in options.models]
    models.insert(1, ("random", models[0][1]))
    names = " | ".join(label for label, _ in models)
    lines = [
        f"| set | {names} | above random, outside the seeds |",
        "|---" * (len(models) + 2) + "|",
    ]
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.sets:
            lines.append(row(options, name, models, pathlib.Path(scratch)))
            print("\n".join(lines), flush=True)
            if options.out:
                options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
