"""The texts that compare_tokenizers.py gives to both sides: made ones, the same in every run, and
the lines of folders."""

import pathlib
import random
import unicodedata
import zipfile


def made_texts():
    """A list of texts by its name, and prose: sentences of common words."""
    # Line ends split the file that carries the texts, so they are left out.
    points = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and c not in (0x0A, 0x0D)]
    draw = random.Random(7)
    pools = [
        [chr(c) for c in range(32, 127)],
        [chr(c) for c in range(0xA0, 0x250)],
        [chr(c) for c in range(0x300, 0x530)],
        points,
    ]
    mixed = [
        "".join(draw.choice(draw.choice(pools)) for _ in range(draw.randint(1, 30)))
        + draw.choice(["", " [MASK]", "[SEP]x", "[mask]"])
        for _ in range(200_000)
    ]
    marks = [c for c in points if unicodedata.category(c) in ("Mn", "Mc", "Me")]
    decomposing = [c for c in points if unicodedata.normalize("NFD", c) != c]
    odd = [
        *"\u200b\u200d\u0345\u0334\U0001d165\U0001d15f\u302e\u1b44ΣσςİßǅA.'≠;`[",
        "[MASK]",
        "[[SEP]",
        "[UNK]]",
    ]
    marked = [
        "".join(
            draw.choice(draw.choice([marks, marks, decomposing, odd, points]))
            for _ in range(draw.randint(1, 24))
        )
        for _ in range(100_000)
    ]
    texts = {"code points": ["a" + c + "b" for c in points], "mixed": mixed, "marks": marked}
    words = (
        "the cat sat on a mat , it was n't unaffable ' s do not running . hello world ! who ? café "
        "naïve [MASK]"
    ).split()
    prose = [
        " ".join(draw.choice(words) for _ in range(draw.randint(1, 60))) for _ in range(10_000)
    ]
    return texts, prose


def folder_texts(folder):
    """The lines of all files that are text, zip members too. A carriage return would end a line of
    the file that carries them."""
    suffixes = {
        ".txt",
        ".tsv",
        ".csv",
        ".json",
        ".jsonl",
        ".md",
        ".conll",
        ".annotated",
        ".inp",
        ".out",
        ".py",
        ".xml",
        ".cr",
        "",
    }
    lines = []
    for file in sorted(pathlib.Path(folder).rglob("*")):
        contents = []
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                contents = [archive.read(name) for name in archive.namelist()]
        elif file.is_file() and file.suffix in suffixes:
            contents = [file.read_bytes()]
        for content in contents:
            lines += [
                line
                for line in content.decode("utf-8", "replace").replace("\r", " ").split("\n")
                if line
            ]
    return lines
