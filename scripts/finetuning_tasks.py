"""The labelled sets of compare_finetuning.py, for both sides: files that `gradus finetune` reads,
and the same examples as padded batches for transformers.

Needs torch, transformers and seqeval. `data` is a folder with sst2-glue/, rte/, qnli/,
codah/fold_0/ (GLUE's and CODAH's TSV), sentence-polarity/ and subjectivity/ (NLTK's zip files),
wnut17/ (CoNLL columns) and xquad/ (SQuAD JSON).
"""

import json

import seqeval.metrics
import torch
import transformers

from labelled_sets import (
    read_columns,
    read_glue,
    read_lines,
    read_two_classes,
    some,
    write_columns,
    write_table,
)

IGNORED = -100  # the label of a token that is not asked about


class Task:
    """Examples of a kind: `train` and `validation` are lists in the order of `files`; `encode`
    makes a padded batch with labels of some."""

    length = 128
    names = ()  # of the labels, by id

    def config(self):
        return (
            {
                "id2label": dict(enumerate(self.names)),
                "label2id": {name: i for i, name in enumerate(self.names)},
            }
            if self.names
            else {}
        )

    def loss(self, model, batch):
        return model(**batch).loss

    def answers(self, model, tokenizer, examples):
        """The label of each example that the model finds the most probable."""
        return model(**self.encode(tokenizer, examples)).logits.argmax(-1).tolist()

    def score(self, examples, answers):
        """Accuracy."""
        return sum(
            answer == self.label(example) for answer, example in zip(answers, examples, strict=True)
        ) / len(examples)


class Texts(Task):
    """One label for a text or a pair: rows [text, label] or [text, text, label]."""

    head = transformers.AutoModelForSequenceClassification

    def __init__(self, scratch, names, train, validation):
        self.names, self.train, self.validation = names, train, validation
        self.files = [
            write_table(scratch / f"{part}.tsv", rows)
            for part, rows in (("train", train), ("validation", validation))
        ]
        self.arguments = ["classify", "--labels", ",".join(names)]

    def config(self):
        return super().config() | {"problem_type": "single_label_classification"}

    def label(self, row):
        return self.names.index(row[-1])

    def encode(self, tokenizer, rows):
        texts = [list(column) for column in zip(*[row[:-1] for row in rows])]
        return tokenizer(
            *texts, padding=True, truncation=True, max_length=self.length, return_tensors="pt"
        ) | {"labels": torch.tensor([self.label(row) for row in rows])}


class Tags(Task):
    """A tag a word, carried by its first piece: [words, tags], judged by seqeval's F1."""

    head = transformers.AutoModelForTokenClassification

    def __init__(self, scratch, train, validation):
        self.train, self.validation = train, validation
        self.names = sorted({tag for _, tags in train + validation for tag in tags})
        self.arguments = ["ner", "--labels", ",".join(self.names)]
        self.files = [scratch / "train.conll", scratch / "validation.conll"]
        for file, sentences in zip(self.files, (train, validation)):
            write_columns(file, sentences)

    def tokens(self, tokenizer, sentences):
        """A padded batch, and for each sentence {word: position of its first piece}; a word of
        characters that the tokenizer drops has none."""
        encoded = tokenizer(
            [words for words, _ in sentences],
            is_split_into_words=True,
            padding=True,
            return_tensors="pt",
        )
        assert (
            encoded["input_ids"].shape[1] <= self.length
        )  # longer ones Gradus would read in windows
        first = [{} for _ in sentences]
        for i, words in enumerate(first):
            for position, word in enumerate(encoded.word_ids(i)):
                if word is not None:
                    words.setdefault(word, position)
        return encoded, first

    def encode(self, tokenizer, sentences):
        encoded, first = self.tokens(tokenizer, sentences)
        labels = torch.full(encoded["input_ids"].shape, IGNORED)
        for i, (_, tags) in enumerate(sentences):
            for word, position in first[i].items():
                labels[i, position] = self.names.index(tags[word])
        return encoded | {"labels": labels}

    def answers(self, model, tokenizer, sentences):
        encoded, first = self.tokens(tokenizer, sentences)
        best = model(**encoded).logits.argmax(-1)
        return [
            [self.names[best[i, first[i][w]]] if w in first[i] else "O" for w in range(len(words))]
            for i, (words, _) in enumerate(sentences)
        ]

    def score(self, sentences, answers):
        return seqeval.metrics.f1_score([tags for _, tags in sentences], answers)


class Choices(Task):
    """Which of four endings: [context, endings …, number of the right one]."""

    head = transformers.AutoModelForMultipleChoice
    arguments = ["choice"]

    def __init__(self, scratch, train, validation):
        self.files = [scratch / "train.tsv", scratch / "validation.tsv"]
        for file, lines in zip(self.files, (train, validation)):
            file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        self.train, self.validation = (
            [line.split("\t")[1:] for line in lines] for lines in (train, validation)
        )  # the first column is a category

    def label(self, row):
        return int(row[-1])

    def encode(self, tokenizer, rows):
        contexts = [row[0] for row in rows for _ in row[1:-1]]
        pairs = tokenizer(
            contexts,
            [ending for row in rows for ending in row[1:-1]],
            padding=True,
            truncation=True,
            max_length=self.length,
            return_tensors="pt",
        )
        return {key: value.view(len(rows), -1, value.shape[-1]) for key, value in pairs.items()} | {
            "labels": torch.tensor([self.label(row) for row in rows])
        }


class Spans(Task):
    """Windows of 384 tokens that overlap by 128, with the positions of the answer's first and last
    token, or [CLS] where the window does not hold it."""

    head = transformers.AutoModelForQuestionAnswering
    arguments = ["qa"]

    def __init__(self, scratch, tokenizer, path):
        content = json.loads(path.read_text(encoding="utf-8"))
        paragraphs = [
            (article["title"], p) for article in content["data"] for p in article["paragraphs"]
        ]
        chosen = sorted(
            random.Random(0).sample(range(len(paragraphs)), len(paragraphs) * 3 // 4)
        )  # the rest would be the validation file
        articles = [{"title": paragraphs[i][0], "paragraphs": [paragraphs[i][1]]} for i in chosen]
        self.files = [scratch / "train.json"]
        self.files[0].write_text(
            json.dumps({"version": "1.1", "data": articles}, ensure_ascii=False), encoding="utf-8"
        )
        self.train = list(self.windows(tokenizer, articles))

    def windows(self, tokenizer, articles):
        for article in articles:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    answer = question["answers"][0]
                    begin, end = answer["answer_start"], answer["answer_start"] + len(
                        answer["text"]
                    )
                    assert (
                        len(tokenizer(question["question"], add_special_tokens=False)["input_ids"])
                        <= 64
                    )
                    encoded = tokenizer(
                        question["question"],
                        paragraph["context"],
                        truncation="only_second",
                        max_length=384,
                        stride=128,
                        return_overflowing_tokens=True,
                        return_offsets_mapping=True,
                    )
                    for i, offsets in enumerate(encoded["offset_mapping"]):
                        context = [t for t, s in enumerate(encoded.sequence_ids(i)) if s == 1]
                        start = stop = 0
                        if offsets[context[0]][0] <= begin and offsets[context[-1]][1] >= end:
                            start = max(t for t in context if offsets[t][0] <= begin)
                            stop = min(t for t in context if offsets[t][1] >= end)
                        yield {
                            key: encoded[key][i]
                            for key in ("input_ids", "token_type_ids", "attention_mask")
                        } | {"start": start, "stop": stop}

    def encode(self, tokenizer, windows):
        features = [
            {key: value for key, value in w.items() if key not in ("start", "stop")}
            for w in windows
        ]
        return tokenizer.pad(features, return_tensors="pt") | {
            key: torch.tensor([w[key] for w in windows]) for key in ("start", "stop")
        }

    def loss(self, model, batch):
        start, stop = batch.pop("start"), batch.pop("stop")
        out = model(**batch)
        nothing = torch.where(
            batch["attention_mask"] == 0, -1e30, 0.0
        )  # transformers gives padding a share of the probability; without padding there is none
        entropy = torch.nn.functional.cross_entropy
        return (
            entropy(out.start_logits + nothing, start) + entropy(out.end_logits + nothing, stop)
        ) / 2


def load(name, data, scratch, tokenizer, most):
    """The set of that name: training examples (at most `most`, but all of xquad's, the same for
    both sides) and validation examples (none of xquad)."""
    entailment = ["entailment", "not_entailment"]
    if name == "sst2":
        read = lambda part: read_glue(data / "sst2-glue" / f"{part}.tsv", ["negative", "positive"])
        return Texts(scratch, ["negative", "positive"], some(read("train"), most), read("dev"))
    if name == "rte":
        return Texts(
            scratch,
            entailment,
            some(read_glue(data / "rte" / "glue-train.tsv"), most),
            read_glue(data / "rte" / "glue-dev.tsv"),
        )
    if (
        name == "qnli"
    ):  # GLUE's dev file in two halves: its training file is not here. Some sentences stand in both, beside other questions
        rows = read_glue(data / "qnli" / "dev.tsv")
        return Texts(
            scratch, entailment, some(rows[: len(rows) // 2], most), rows[len(rows) // 2 :]
        )
    if name == "polarity":
        rows = read_two_classes(
            data / "sentence-polarity" / "sentence_polarity.zip",
            "sentence_polarity",
            [("rt-polarity.neg", "negative"), ("rt-polarity.pos", "positive")],
        )
        return Texts(scratch, ["negative", "positive"], rows[2000:][:most], rows[:2000])
    if name == "subjectivity":
        rows = read_two_classes(
            data / "subjectivity" / "subjectivity.zip",
            "subjectivity",
            [("plot.tok.gt9.5000", "objective"), ("quote.tok.gt9.5000", "subjective")],
        )
        return Texts(scratch, ["objective", "subjective"], rows[2000:][:most], rows[:2000])
    if name == "wnut17":
        return Tags(
            scratch,
            some(read_columns(data / "wnut17" / "wnut17train.conll"), most),
            read_columns(data / "wnut17" / "emerging.dev.conll"),
        )
    if name == "codah":
        return Choices(
            scratch,
            some(read_lines(data / "codah" / "fold_0" / "train.tsv"), most),
            read_lines(data / "codah" / "fold_0" / "dev.tsv"),
        )
    if name == "xquad":
        return Spans(scratch, tokenizer, data / "xquad" / "xquad.en.json")
    raise SystemExit(
        f"no set '{name}'; there are sst2 rte qnli polarity subjectivity wnut17 codah xquad"
    )
