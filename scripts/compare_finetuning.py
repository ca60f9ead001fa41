"""The same fine-tune in PyTorch and in Gradus, from the same weights and batches with dropout off: do the loss curves lie on each other?

  python scripts/compare_finetuning.py sst2 MODEL SST2_FOLDER        python scripts/compare_finetuning.py qa MODEL SQUAD.json      [--steps 250]

Needs torch, transformers, numpy; MODEL is a pretrained BERT folder, SST2_FOLDER has GLUE's train.tsv. PyTorch runs twice, with its eager and its SDPA attention:
the distance between those two curves is the yardstick; ours may be ten times as far from the eager one. Exits with 1 where it is farther.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import torch
import transformers

HEADS = {"sst2": transformers.AutoModelForSequenceClassification, "qa": transformers.AutoModelForQuestionAnswering}
BATCH, RATE = 32, 5e-5


def sst2_batches(tokenizer, folder, steps):
    rows = [line.split("\t") for line in (folder / "train.tsv").read_text(encoding="utf-8").split("\n")[1:] if line][: BATCH * steps]
    for at in range(0, len(rows), BATCH):
        batch = rows[at:at + BATCH]
        yield tokenizer([text for text, _ in batch], padding=True, truncation=True, max_length=128, return_tensors="pt") | {"labels": torch.tensor([int(y) for _, y in batch])}


def qa_windows(tokenizer, path):
    """Windows of 384 tokens that overlap by 128, with the positions of the answer's first and last token, or [CLS] where the window does not hold it."""
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                answer = question["answers"][0]
                begin, end = answer["answer_start"], answer["answer_start"] + len(answer["text"])
                query = tokenizer(question["question"], add_special_tokens=False)["input_ids"]
                assert len(query) <= 64
                encoded = tokenizer(question["question"], paragraph["context"], truncation="only_second", max_length=384, stride=128, return_overflowing_tokens=True,
                                    return_offsets_mapping=True)
                for i, offsets in enumerate(encoded["offset_mapping"]):
                    context = [t for t, s in enumerate(encoded.sequence_ids(i)) if s == 1]
                    start = stop = 0
                    if offsets[context[0]][0] <= begin and offsets[context[-1]][1] >= end:
                        start = max(t for t in context if offsets[t][0] <= begin)
                        stop = min(t for t in context if offsets[t][1] >= end)
                    yield {key: encoded[key][i] for key in ("input_ids", "token_type_ids", "attention_mask")} | {"start": start, "stop": stop}


def qa_batches(tokenizer, path, steps):
    windows = list(qa_windows(tokenizer, path))[: BATCH * steps]
    for at in range(0, len(windows), BATCH):
        batch = windows[at:at + BATCH]
        longest = max(len(w["input_ids"]) for w in batch)
        pad = lambda key: torch.tensor([w[key] + [0] * (longest - len(w[key])) for w in batch])
        yield {key: pad(key) for key in ("input_ids", "token_type_ids", "attention_mask")} | {"start": torch.tensor([w["start"] for w in batch]), "stop": torch.tensor([w["stop"] for w in batch])}


def loss_of(task, model, batch):
    if task == "sst2":
        return model(**batch).loss
    start, stop = batch.pop("start"), batch.pop("stop")
    out = model(**batch)
    nothing = torch.where(batch["attention_mask"] == 0, -1e30, 0.0)   # transformers gives padding a share of the probability; without padding there is none
    entropy = torch.nn.functional.cross_entropy
    return (entropy(out.start_logits + nothing, start) + entropy(out.end_logits + nothing, stop)) / 2


def pytorch_curve(task, folder, batches, steps, attention):
    model = HEADS[task].from_pretrained(folder, attn_implementation=attention).train()
    kept = [p for name, p in model.named_parameters() if name.endswith("bias") or "LayerNorm" in name]
    decayed = [p for name, p in model.named_parameters() if not (name.endswith("bias") or "LayerNorm" in name)]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": kept, "weight_decay": 0}], lr=RATE)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, round(0.1 * steps), steps)
    losses = []
    for batch in batches:
        loss = loss_of(task, model, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("task", choices=HEADS)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--gradus", default="build/gradus")
    options = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    tokenizer = transformers.AutoTokenizer.from_pretrained(options.model)
    make = {"sst2": sst2_batches, "qa": qa_batches}[options.task]
    steps = len(list(make(tokenizer, options.data, options.steps)))
    with tempfile.TemporaryDirectory() as scratch:
        start = pathlib.Path(scratch) / "start"   # one head for all
        torch.manual_seed(1)
        labels = {"num_labels": 2, "id2label": {0: "negative", 1: "positive"}, "label2id": {"negative": 0, "positive": 1}} if options.task == "sst2" else {}
        model = HEADS[options.task].from_pretrained(options.model, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **labels)
        if options.task == "sst2":
            model.config.problem_type = "single_label_classification"
        model.save_pretrained(start)
        tokenizer.save_pretrained(start)
        kind = ["classify", "--task", "sst2", "--train", options.data / "train.tsv"] if options.task == "sst2" else ["qa", "--train", options.data]
        command = [options.gradus, "finetune", *map(str, kind), "--model", str(start), "--out", str(pathlib.Path(scratch) / "out"), "--no-shuffle", "--max-steps", str(steps), "--logging-steps", "1",
                   "--learning-rate", str(RATE), "--batch-size", str(BATCH), "--max-train-examples", str(BATCH * options.steps)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        ours = [json.loads(line)["loss"] for line in (pathlib.Path(scratch) / "out" / "metrics.jsonl").read_text().splitlines()]
        eager, sdpa = (pytorch_curve(options.task, start, make(tokenizer, options.data, options.steps), steps, attention) for attention in ("eager", "sdpa"))
    apart = lambda a, b: max(abs(x - y) for x, y in zip(a, b))
    yardstick, distance = max(apart(eager, sdpa), 6e-8), apart(ours, eager)   # not below a float's rounding of a loss around 1
    print(f"{options.task}: {steps} steps, loss {ours[0]:.4f} -> {ours[-1]:.4f} (PyTorch {eager[0]:.4f} -> {eager[-1]:.4f}); largest distance at a step: "
          f"eager to SDPA {yardstick:.1e}, Gradus to eager {distance:.1e} ({distance / yardstick:.1f} times); torch {torch.__version__}, transformers {transformers.__version__}")
    raise SystemExit(distance > 10 * yardstick)


main()
