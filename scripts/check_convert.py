"""What `gradus convert` writes, opened by transformers: every head class, from every form of file,
in both dtypes; tensor by tensor.

Run it with torch and transformers installed:  python scripts/check_convert.py build/gradus
Prints a line for each case and ends with "0 differences", or exits with 1.
"""

import itertools
import pathlib
import subprocess
import sys
import tempfile

import torch
import transformers

GRADUS = sys.argv[1]
HEADS = [
    "BertModel",
    "BertForPreTraining",
    "BertForMaskedLM",
    "BertForNextSentencePrediction",
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertForMultipleChoice",
    "BertForQuestionAnswering",
]
FORMS = ["safetensors", "zip", "legacy", "sharded safetensors", "sharded zip"]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "Hello", "world", "##s", "."] + [
    f"w{i}" for i in range(50)
]
FIXTURES = pathlib.Path(__file__).parent.parent / "tests" / "fixtures"


def make(head, labels):
    torch.manual_seed(len(head))
    config = transformers.BertConfig(
        vocab_size=60,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
    )
    if labels:
        config.id2label, config.label2id = dict(enumerate(labels)), {
            label: i for i, label in enumerate(labels)
        }
        config.problem_type = "multi_label_classification"
    return getattr(transformers, head)(config)


def save(model, form, dtype, folder):
    model = model.to(dtype)
    if "safetensors" in form:
        model.save_pretrained(folder, max_shard_size="8KB" if "sharded" in form else "5GB")
    else:
        model.config.architectures = [type(model).__name__]
        model.config.save_pretrained(folder)
        state = model.state_dict()
        if "sharded" in form:
            names = sorted(state)
            files = {
                name: f"pytorch_model-{1 + (i >= len(names) // 2)}-of-2.bin"
                for i, name in enumerate(names)
            }
            for file in set(files.values()):
                torch.save(
                    {name: state[name] for name in names if files[name] == file}, folder / file
                )
            (folder / "pytorch_model.bin.index.json").write_text(
                __import__("json").dumps({"metadata": {}, "weight_map": files})
            )
        else:
            torch.save(
                state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=form == "zip"
            )
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    return model


def differences(ours, theirs, out_dtype):
    """Names whose values differ. What went through bf16 is compared after the same rounding."""
    a, b = ours.state_dict(), theirs.state_dict()
    return [
        n
        for n in sorted(a.keys() | b.keys())
        if n not in a
        or n not in b
        or not torch.equal(
            a[n], b[n].to(torch.float32).to(out_dtype) if b[n].is_floating_point() else b[n]
        )
    ]


def main():
    transformers.logging.set_verbosity_error()
    failures = 0
    for head, form, out in itertools.product(HEADS, FORMS, ["f32", "bf16"]):
        for dtype in [torch.float32] + (
            [torch.float16, torch.bfloat16, torch.float64] if form in ("zip", "legacy") else []
        ):
            labels = (
                ["no", "maybe", "yes"]
                if head in ("BertForSequenceClassification", "BertForTokenClassification")
                else None
            )
            with tempfile.TemporaryDirectory() as folder:
                source, target = pathlib.Path(folder) / "in", pathlib.Path(folder) / "out"
                source.mkdir()
                model = save(make(head, labels), form, dtype, source)
                run = subprocess.run(
                    [GRADUS, "convert", "--model", source, "--out", target, "--dtype", out],
                    capture_output=True,
                    text=True,
                )
                found = []
                if run.returncode:
                    found = [run.stderr.strip()]
                else:
                    out_dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[out]
                    opened, info = getattr(transformers, head).from_pretrained(
                        target, output_loading_info=True
                    )
                    found = differences(opened, model, out_dtype) + [
                        f"{k}: {v}" for k, v in info.items() if v
                    ]
                    if opened.dtype != out_dtype:
                        found.append(f"dtype {opened.dtype}")
                    if opened.config.architectures != [head]:
                        found.append(f"architectures {opened.config.architectures}")
                    if labels and (
                        opened.config.id2label != dict(enumerate(labels))
                        or opened.config.problem_type != "multi_label_classification"
                    ):
                        found.append("labels")
                    auto = transformers.AutoModel.from_pretrained(target)
                    if type(auto).__name__ != "BertModel":
                        found.append("AutoModel")
                    tokenizer = transformers.AutoTokenizer.from_pretrained(target)
                    if (
                        tokenizer("Hello worlds.")["input_ids"] != [2, 6, 7, 8, 9, 3]
                        or tokenizer.model_max_length != 24
                    ):
                        found.append("tokenizer")
                failures += bool(found)
                print(
                    "{:<30} {:<20} {:<15} -> {:<5} {}".format(
                        head, form, str(dtype), out, "; ".join(found) or "same"
                    ),
                    flush=True,
                )

    # Google's checkpoint: its weights are tests/fixtures/tiny-bert's, in other names and layouts;
    # its GELU is the tanh form.
    for flags in ([], ["--to", "legacy"]):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [GRADUS, "convert", "--model", FIXTURES / "tf-bert", "--out", folder] + flags,
                check=True,
                capture_output=True,
            )
            opened, info = transformers.BertForPreTraining.from_pretrained(
                folder, output_loading_info=True
            )
            found = differences(
                opened,
                transformers.BertForPreTraining.from_pretrained(FIXTURES / "tiny-bert"),
                torch.float32,
            )
            found += [f"{k}: {v}" for k, v in info.items() if v] + (
                ["hidden_act"] if opened.config.hidden_act != "gelu_new" else []
            )
            failures += bool(found)
            print(
                "{:<30} {:<37} {}".format(
                    "BertForPreTraining",
                    "TensorFlow " + " ".join(flags),
                    "; ".join(found) or "same",
                )
            )
    print(f"{failures} differences")
    sys.exit(failures > 0)


main()
