"""Reads the labelled sets that the scripts compare models on, as lists of rows, and writes them as
files that `gradus finetune` reads. The standard library alone.
"""

import random
import zipfile


def read_lines(path):
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line]


def write_table(path, rows):
    names = ["sentence1", "sentence2", "label"] if len(rows[0]) == 3 else ["sentence", "label"]
    path.write_text("".join("\t".join(row) + "\n" for row in [names, *rows]), encoding="utf-8")
    return path


def read_glue(path, names=None):
    rows = [line.split("\t") for line in read_lines(path)[1:]]
    rows = [row[1:] if len(row) == 4 else row for row in rows]  # the index says nothing
    return [[*texts, names[int(label)] if names else label] for *texts, label in rows]


def read_two_classes(archive, folder, classes):
    """Sentences of NLTK's two-class sets; tabs and repeated blanks are one blank."""
    with zipfile.ZipFile(archive) as zipped:
        rows = [
            [" ".join(line.split()), name]
            for file, name in classes
            for line in zipped.read(f"{folder}/{file}").decode("latin-1").split("\n")
            if line.strip()
        ]
    random.Random(0).shuffle(rows)
    return rows


def read_columns(path):
    """[words, tags] of every sentence; lines of nothing but blanks separate them."""
    sentences, words, tags = [], [], []
    for line in [*path.read_text(encoding="utf-8").split("\n"), ""]:
        if line.strip():
            word, tag = line.split("\t")
            words.append(word)
            tags.append(tag)
        elif words:
            sentences.append([words, tags])
            words, tags = [], []
    return sentences


def write_columns(path, sentences):
    path.write_text(
        "".join(
            "".join(f"{word}\t{tag}\n" for word, tag in zip(*sentence)) + "\n"
            for sentence in sentences
        ),
        encoding="utf-8",
    )
    return path


def some(examples, count):
    return random.Random(0).sample(examples, min(count, len(examples)))
