"""Compares `gradus tokenize` with its oracles, text by text: compare_tokenizers.py build/gradus
VOCAB_FOLDER [TEXT_FOLDER...] [--only PART]

hf mode against the `tokenizers` package, google mode against google_tokenization.py beside this
file. The texts: every code point c in "a" + c + "b", 200,000 random mixed strings, 100,000 heavy
with combining marks (their canonical order decides offsets), and every line of the texts and zip
members in the folders. PART is one of hf, sequences, words, decode, files, google. Prints a table
and exits with 1 if anything differs. Needs `pip install tokenizers`, for google
`unicodedata2==15.0.0` too (utf8proc 2.8's Unicode), for files `transformers`; Gradus itself needs
none.
"""

import argparse
import contextlib
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import tokenizers

import google_tokenization
import tokenizer_texts

BATCH = 4_000_000  # characters that are held at once
rows = []  # of the table: part, vocabulary, texts, how many, differences


def gradus(lines, vocabulary, *options):
    """What the program prints for the lines. The first line of the file is a byte-order mark's
    place, so it is an empty one."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="\n") as file:
        file.write("".join(line + "\n" for line in lines))
        file.flush()
        run = subprocess.run(
            [program, "tokenize", "--vocab", str(vocabulary), *options, file.name],
            capture_output=True,
            check=True,
        )
    return run.stdout.decode().split("\n")[:-1]


def refuses(line, vocabulary, *options):
    run = subprocess.run(
        [program, "tokenize", "--vocab", str(vocabulary), *options],
        input=line + "\n",
        encoding="utf-8",
        capture_output=True,
    )
    return run.returncode == 2


def batches(lines):
    part, size = [], 0
    for line in lines:
        part.append(line)
        size += len(line) + 20
        if size > BATCH:
            yield part
            part, size = [], 0
    if part:
        yield part


def record(part, vocabulary, name, count, differences):
    rows.append((part, vocabulary.name, name, count, len(differences)))
    print(
        f"{part}, {vocabulary.name}, {name}: {count} texts, {len(differences)} differences",
        flush=True,
    )
    for difference in differences[:5]:
        print("   ", *map(ascii, difference))


def is_cased(vocabulary):
    return "uncased" not in vocabulary.name


def casing(vocabulary):
    return ["--cased"] if is_cased(vocabulary) else []


def oracle(vocabulary):
    return tokenizers.BertWordPieceTokenizer(str(vocabulary), lowercase=not is_cased(vocabulary))


# What is compared: hf mode.


def compare_hf(vocabulary):
    theirs = oracle(vocabulary)
    for name, lines in texts.items():
        differences = []
        for part in batches(lines):
            results = gradus([""] + part, vocabulary, "--format", "json", *casing(vocabulary))[1:]
            assert len(results) == len(part), (len(results), len(part))
            for text, a, line in zip(
                part, theirs.encode_batch(part, add_special_tokens=False), results
            ):
                b = json.loads(line)
                if (
                    a.ids != b["ids"]
                    or [list(o) for o in a.offsets] != b["offsets"]
                    or a.word_ids != b["words"]
                ):
                    differences.append((text[:200], a.tokens[:20], b["tokens"][:20]))
        record("hf: ids, offsets, words", vocabulary, name, len(lines), differences)


@contextlib.contextmanager
def quiet():
    """Without what a panic of the package prints."""
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved), os.close(null)


def compare_sequences(vocabulary):
    """Pairs and single texts: types, special-tokens mask, truncation, windows. What the package
    refuses, Gradus must refuse."""
    draw, totals = random.Random(11), {}
    # Mixed strings, and English that is long enough to be cut; a tab would end the first text.
    pool = [
        text.replace("\t", " ")
        for text in draw.sample(texts["mixed"], 3000)
        + draw.sample(texts["marks"], 1000)
        + draw.sample(prose, 2000)
    ]
    pairs = [(draw.choice(pool), draw.choice(pool)) for _ in range(1500)] + [
        ("", ""),
        ("a", ""),
        ("", "a"),
        ("x[MASK]y", "[SEP] [CLS]"),
    ]
    for truncation, max_length, stride in itertools.product(
        ("longest_first", "only_first", "only_second"), (3, 4, 9, 16, 33, 64), (0, 1, 5)
    ):
        for is_pair in (True, False):
            if stride >= max_length - 2 or (
                truncation == "only_second" and not is_pair
            ):  # refused before any text is seen
                continue
            theirs, kept, refused, differences = oracle(vocabulary), [], [], []
            theirs.enable_truncation(max_length, stride=stride, strategy=truncation)
            for pair in pairs:
                with quiet():
                    try:
                        first = theirs.encode(*pair) if is_pair else theirs.encode(pair[0])
                        kept.append((pair, [first, *first.overflowing]))
                    except BaseException as error:  # a PanicException is no Exception
                        if isinstance(error, KeyboardInterrupt):
                            raise
                        refused.append(pair)
            line = lambda pair: "\t".join(pair) if is_pair else pair[0]
            options = [
                "--special",
                "--max-length",
                str(max_length),
                "--stride",
                str(stride),
                "--truncation",
                truncation,
                *(["--pair"] if is_pair else []),
                *casing(vocabulary),
            ]
            # A text that keeps no token comes back from the package as one more "window", the whole
            # of it and longer than max_length: not from Gradus. With no token kept at all,
            # only_first and only_second cut both texts there; here that is an error.
            entire = lambda window: len(window.ids) > max_length
            empty = truncation != "longest_first" and is_pair and max_length == 3
            kept = [
                (pair, [w for w in windows if not entire(w)])
                for pair, windows in kept
                if not (empty and (pair[0] or pair[1]))
            ]
            found = {}
            for result in gradus(
                [line(pair) for pair, _ in kept], vocabulary, "--format", "json", *options
            ):
                result = json.loads(result)
                found.setdefault(result["line"], []).append(result)
            for number, (pair, windows) in enumerate(kept, 1):
                a = [
                    [
                        w.ids,
                        w.type_ids,
                        w.special_tokens_mask,
                        [list(o) for o in w.offsets],
                        [-1 if n is None else n for n in w.word_ids],
                    ]
                    for w in windows
                ]
                b = [
                    [w["ids"], w["types"], w["special"], w["offsets"], w["words"]]
                    for w in found.get(number, [])
                ]
                if a != b:
                    differences.append((pair, a[:2], b[:2]))
            differences += [
                (pair, "tokenizers refuses it")
                for pair in refused[:4]
                if not refuses(line(pair), vocabulary, *options)
            ]
            counted = totals.setdefault(
                f"{'pairs' if is_pair else 'single'}, {truncation}", [0, []]
            )
            counted[0] += len(kept) + len(refused[:4])
            counted[1] += differences
    for name, (count, differences) in totals.items():
        record("hf: cut, windows, types, mask", vocabulary, name, count, differences)


def compare_words(vocabulary):
    draw, theirs = random.Random(12), oracle(vocabulary)
    pool = [
        word
        for text in draw.sample(texts["mixed"], 20_000) + draw.sample(prose, 5000)
        for word in text.split(" ")
        if word
    ]
    lists = [[draw.choice(pool) for _ in range(draw.randint(1, 12))] for _ in range(30_000)]
    results = gradus(
        [""] + [" ".join(words) for words in lists],
        vocabulary,
        "--words",
        "--format",
        "json",
        *casing(vocabulary),
    )[1:]
    differences = []
    for words, a, line in zip(
        lists, theirs.encode_batch(lists, is_pretokenized=True, add_special_tokens=False), results
    ):
        b = json.loads(line)
        if (
            a.ids != b["ids"]
            or [list(o) for o in a.offsets] != b["offsets"]
            or a.word_ids != b["words"]
        ):
            differences.append((words, a.tokens, b["tokens"]))
    record("hf: pre-split words", vocabulary, "lists of words", len(lists), differences)


def compare_decode(vocabulary):
    draw, theirs = random.Random(13), oracle(vocabulary)
    lists = [
        theirs.encode(text).ids
        for text in draw.sample(prose, 10_000) + draw.sample(texts["mixed"], 10_000)
    ]
    lists += [
        [draw.randrange(theirs.get_vocab_size()) for _ in range(draw.randint(0, 20))]
        for _ in range(10_000)
    ]
    often = [
        theirs.token_to_id(token)
        for token in (
            ".",
            "?",
            "!",
            ",",
            "'",
            "s",
            "t",
            "re",
            "do",
            "not",
            "n",
            "m",
            "##s",
            "[CLS]",
            "[SEP]",
            "[UNK]",
            "ve",
        )
    ]
    lists += [[draw.choice(often) for _ in range(draw.randint(1, 12))] for _ in range(10_000)]
    for skip in (True, False):
        results = gradus(
            [""] + [" ".join(map(str, ids)) for ids in lists],
            vocabulary,
            "--decode",
            *([] if skip else ["--keep-special"]),
        )[1:]
        expected = theirs.decode_batch(lists, skip_special_tokens=skip)
        differences = [(ids, a, b) for ids, a, b in zip(lists, expected, results) if a != b]
        record(
            "hf: decode",
            vocabulary,
            "without special tokens" if skip else "with special tokens",
            len(lists),
            differences,
        )


def compare_files(vocabulary):
    """What Gradus writes opens in tokenizers and transformers and gives the same ids; what was
    published is read."""
    import transformers

    draw, theirs = random.Random(14), oracle(vocabulary)
    lines = draw.sample(texts["mixed"], 3000) + draw.sample(prose, 2000)
    expected = [encoded.ids for encoded in theirs.encode_batch(lines)]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        gradus([], vocabulary, "--save", folder / "tokenizer.json", *casing(vocabulary))
        ids = [
            encoded.ids
            for encoded in tokenizers.Tokenizer.from_file(
                str(folder / "tokenizer.json")
            ).encode_batch(lines)
        ]
        record(
            "files",
            vocabulary,
            "our tokenizer.json, Tokenizer.from_file",
            len(lines),
            [d for d in zip(lines, expected, ids) if d[1] != d[2]],
        )
        results = gradus([""] + lines, folder / "tokenizer.json", "--special", "--format", "ids")[
            1:
        ]
        ids = [list(map(int, line.split())) for line in results]
        record(
            "files",
            vocabulary,
            "our tokenizer.json, gradus",
            len(lines),
            [d for d in zip(lines, expected, ids) if d[1] != d[2]],
        )
        # A whole folder, as a run of one step leaves it.
        corpus, run = folder / "c.gds", folder / "run"
        text = folder / "text.txt"
        text.write_text("A cat sat on the mat. It was warm.\nThe dog ran away.\n\n" * 30)
        for command in (
            [
                "data",
                "build",
                "--corpus",
                text,
                "--vocab",
                vocabulary,
                *casing(vocabulary),
                "--validation-fraction",
                "0.1",
                "--out",
                corpus,
            ],
            [
                "pretrain",
                "--data",
                corpus,
                "--model",
                "tiny",
                "--max-steps",
                "1",
                "--batch-size",
                "1",
                "--max-seq-length",
                "32",
                "--out",
                run,
            ],
        ):
            subprocess.run([program, *map(str, command)], check=True, capture_output=True)
        auto = transformers.AutoTokenizer.from_pretrained(run)
        ids = auto(lines)["input_ids"]
        record(
            "files",
            vocabulary,
            "a folder of ours, AutoTokenizer",
            len(lines),
            [d for d in zip(lines, expected, ids) if d[1] != d[2]],
        )
    published = pathlib.Path(str(vocabulary).replace("vocab.txt", "tokenizer.json"))
    if published.exists():
        results = gradus([""] + lines, published, "--special", "--format", "ids")[1:]
        ids = [list(map(int, line.split())) for line in results]
        record(
            "files",
            vocabulary,
            "the published tokenizer.json, gradus",
            len(lines),
            [d for d in zip(lines, expected, ids) if d[1] != d[2]],
        )


# What is compared: google mode.


def compare_google(vocabulary):
    theirs = google_tokenization.Tokenizer(vocabulary, not is_cased(vocabulary))
    for name, lines in texts.items():
        differences = []
        for part in batches(lines):
            results = gradus(
                [""] + part, vocabulary, "--mode", "google", "--format", "ids", *casing(vocabulary)
            )[1:]
            for text, line in zip(part, results):
                a, b = theirs.ids(text), list(map(int, line.split()))
                if a != b:
                    differences.append((text[:200], a[:20], b[:20]))
        record("google: ids", vocabulary, name, len(lines), differences)
    draw, count, differences = random.Random(15), 0, []
    pool = [
        text.replace("\t", " ")
        for text in draw.sample(prose, 1000) + draw.sample(texts["mixed"], 1000)
    ]
    cls, sep = theirs.vocabulary["[CLS]"], theirs.vocabulary["[SEP]"]
    for max_length in range(3, 40):
        pairs = [(draw.choice(pool), draw.choice(pool)) for _ in range(200)]
        results = gradus(
            ["\t"] + ["\t".join(pair) for pair in pairs],
            vocabulary,
            "--mode",
            "google",
            "--pair",
            "--max-length",
            str(max_length),
            "--format",
            "ids",
            *casing(vocabulary),
        )[1:]
        for pair, line in zip(pairs, results):
            first, second = google_tokenization.truncate_pair(
                theirs.ids(pair[0]), theirs.ids(pair[1]), max_length - 3
            )
            count += 1
            if [cls, *first, sep, *second, sep] != list(map(int, line.split())):
                differences.append((pair, first, second, line))
    record("google: pairs cut", vocabulary, "max lengths 3 to 39", count, differences)


parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("program")
parser.add_argument("vocabularies")
parser.add_argument("folders", nargs="*")
parser.add_argument(
    "--only", action="append", choices=["hf", "sequences", "words", "decode", "files", "google"]
)
arguments = parser.parse_args()
program = arguments.program

texts, prose = tokenizer_texts.made_texts()
for folder in arguments.folders:
    texts[pathlib.Path(folder).name] = tokenizer_texts.folder_texts(folder)

parts = {
    "hf": compare_hf,
    "sequences": compare_sequences,
    "words": compare_words,
    "decode": compare_decode,
    "files": compare_files,
    "google": compare_google,
}
for part, compare in parts.items():
    if not arguments.only or part in arguments.only:
        for vocabulary in sorted(pathlib.Path(arguments.vocabularies).glob("*-vocab.txt")):
            compare(vocabulary)

print(
    f"\nPython {sys.version.split()[0]}, tokenizers {tokenizers.__version__}, "
    f"Unicode {google_tokenization.unicodedata.unidata_version} for google\n"
)
print("| part | vocabulary | texts | how many | differences |\n|---|---|---|---|---|")
for row in rows:
    print("| " + " | ".join(map(str, row)) + " |")
total = sum(row[-1] for row in rows)
print(f"\n{total} differences")
sys.exit(1 if total else 0)
