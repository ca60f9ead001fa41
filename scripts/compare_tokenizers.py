"""Compares `gradus tokenize` with the `tokenizers` package, ids, offsets and word numbers, text by text: compare_tokenizers.py build/gradus VOCAB_FOLDER [TEXT_FOLDER]

Every code point c in "a" + c + "b" for each vocabulary, 200,000 random mixed strings from a seed, 100,000 heavy with combining
marks (their canonical order decides offsets), and every line of the texts. Prints the differences
by kind and exits with 1 if there are any. Needs `pip install tokenizers`; Gradus itself does not.
"""
import collections
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

import tokenizers

program, vocabularies, *texts = sys.argv[1:]


def ours(lines, vocabulary, cased):
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="\n") as file:
        file.write("".join(line + "\n" for line in lines))
        file.flush()
        output = subprocess.run([program, "tokenize", "--vocab", vocabulary, "--format", "json", *(["--cased"] if cased else []), file.name], check=True, capture_output=True).stdout
    return [json.loads(line) for line in output.decode().split("\n")[:-1]]


def compare(name, lines, vocabulary, cased):
    theirs = tokenizers.BertWordPieceTokenizer(str(vocabulary), lowercase=not cased)
    differences = []
    for begin in range(0, len(lines), 100_000):
        part = lines[begin:begin + 100_000]
        encoded = theirs.encode_batch(part, add_special_tokens=False)
        results = ours(part, str(vocabulary), cased)
        assert len(results) == len(part), (len(results), len(part))
        for text, a, b in zip(part, encoded, results):
            if a.ids != b["ids"] or [list(o) for o in a.offsets] != b["offsets"] or a.word_ids != b["words"]:
                differences.append((text, a.tokens, b["tokens"]))
    kinds = collections.Counter(unicodedata.category(text[1]) if len(text) == 3 else "text" for text, _, _ in differences)
    print(f"{name}: {len(lines)} texts, {len(differences)} differ {dict(kinds) if differences else ''}", flush=True)
    for text, a, b in differences[:5]:
        print(f"   {text!r}: tokenizers {a}, gradus {b}")
    return len(differences)


# Line ends split the file that carries the texts, so they are left out.
points = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and c not in (0x0A, 0x0D)]
draw = random.Random(7)
pools = [[chr(c) for c in range(32, 127)], [chr(c) for c in range(0xA0, 0x250)], [chr(c) for c in range(0x300, 0x530)], points]
mixed = ["".join(draw.choice(draw.choice(pools)) for _ in range(draw.randint(1, 30))) + draw.choice(["", " [MASK]", "[SEP]x", "[mask]"]) for _ in range(200_000)]
marks = [c for c in points if unicodedata.category(c) in ("Mn", "Mc", "Me")]
decomposing = [c for c in points if unicodedata.normalize("NFD", c) != c]
odd = [*"\u200b\u200d\u0345\u0334\U0001d165\U0001d15f\u302e\u1b44ΣσςİßǅA.'≠;`[", "[MASK]", "[[SEP]", "[UNK]]"]
marked = ["".join(draw.choice(draw.choice([marks, marks, decomposing, odd, points])) for _ in range(draw.randint(1, 24))) for _ in range(100_000)]
total = 0
for vocabulary in sorted(pathlib.Path(vocabularies).glob("*-vocab.txt")):
    cased = "uncased" not in vocabulary.name
    total += compare(f"{vocabulary.name}, code points", ["a" + c + "b" for c in points], vocabulary, cased)
    total += compare(f"{vocabulary.name}, mixed", mixed, vocabulary, cased)
    total += compare(f"{vocabulary.name}, marks", marked, vocabulary, cased)
    for folder in texts:
        lines = [line for file in sorted(pathlib.Path(folder).rglob("*.txt")) for line in file.read_bytes().decode("utf-8", "replace").splitlines() if "\r" not in line]
        total += compare(f"{vocabulary.name}, {folder}", lines, vocabulary, cased)
print("no differences" if total == 0 else f"{total} differences")
sys.exit(1 if total else 0)
