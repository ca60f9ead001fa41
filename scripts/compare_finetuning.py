"""Fine-tunes the same model on the same examples with Gradus and with transformers: are the losses
the same, and the scores, and how long does each take?

  python3 scripts/compare_finetuning.py curves --model MODEL --data DATA sst2 rte xquad python3
  scripts/compare_finetuning.py scores --model MODEL --data DATA polarity subjectivity qnli wnut17
  codah [--most 2000] [--learning-rate 5e-5] [--seeds 1..3]

curves: dropout off, the same order of examples. PyTorch runs twice, with its eager and its SDPA
attention: the distance between those two curves is the yardstick; ours may be ten times as far from
the eager one. Exits with 1 where it is farther. scores: one epoch each, dropout on, in turns, each
side with its own random numbers; prints a table. Times are of the training steps and of the answers
on the validation examples; transformers' contain the tokenizer's work (0.5 of 102 s on 8,000 of
SST-2), ours is done before. MODEL is a pretrained BERT folder; DATA is described in
finetuning_tasks.py. Needs torch, transformers, seqeval.
"""

import argparse
import json
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

import torch
import transformers

import finetuning_tasks

BATCH, WARMUP, DECAY = 32, 0.1, 0.01


def batches(examples):
    return [examples[at : at + BATCH] for at in range(0, len(examples), BATCH)]


def gradus(options, task, model, out, *more):
    """The folder that `gradus finetune` makes of the training file; `more` says how long it
    runs."""
    command = [
        options.gradus,
        "finetune",
        *task.arguments,
        "--train",
        task.files[0],
        "--model",
        model,
        "--out",
        out,
        "--batch-size",
        BATCH,
        "--learning-rate",
        options.learning_rate,
        "--warmup-steps",
        WARMUP,
        "--weight-decay",
        DECAY,
        *more,
    ]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    return out


def train(options, task, model, tokenizer, groups):
    """One step a batch, as run_glue.py takes them: AdamW, no decay of biases and norms, linear
    warm-up and decay, gradients clipped at 1. The losses."""
    kept = [
        p for name, p in model.named_parameters() if name.endswith("bias") or "LayerNorm" in name
    ]
    decayed = [
        p
        for name, p in model.named_parameters()
        if not (name.endswith("bias") or "LayerNorm" in name)
    ]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": DECAY}, {"params": kept, "weight_decay": 0}],
        lr=options.learning_rate,
        fused=True,
    )
    schedule = transformers.get_linear_schedule_with_warmup(
        optimizer, int(WARMUP * len(groups) + 0.5), len(groups)
    )
    losses = []
    for group in groups:
        loss = task.loss(model, task.encode(tokenizer, group))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def compare_curves(options, name, task, tokenizer, scratch):
    start = scratch / "start"  # one head for all
    torch.manual_seed(1)
    task.head.from_pretrained(
        options.model,
        dtype=torch.float32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **task.config(),
    ).save_pretrained(start)
    tokenizer.save_pretrained(start)
    groups = batches(task.train[: BATCH * options.steps])
    out = gradus(
        options,
        task,
        start,
        scratch / "out",
        "--no-shuffle",
        "--max-steps",
        len(groups),
        "--logging-steps",
        1,
    )
    ours = [json.loads(line)["loss"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    eager, sdpa = (
        train(
            options,
            task,
            task.head.from_pretrained(start, attn_implementation=attention).train(),
            tokenizer,
            groups,
        )
        for attention in ("eager", "sdpa")
    )
    apart = lambda a, b: max(abs(x - y) for x, y in zip(a, b, strict=True))
    yardstick, distance = max(apart(eager, sdpa), 6e-8), apart(
        ours, eager
    )  # not below a float's rounding of a loss around 1
    print(
        f"{name}: {len(groups)} steps, loss {ours[0]:.4f} -> {ours[-1]:.4f} (PyTorch {eager[0]:.4f} -> {eager[-1]:.4f}); largest distance at a step: "
        f"eager to SDPA {yardstick:.1e}, Gradus to eager {distance:.1e} ({distance / yardstick:.1f} times)",
        flush=True,
    )
    return distance <= 10 * yardstick


def peer_score(options, task, tokenizer, seed):
    """(score on the validation examples, seconds of training, of evaluation)."""
    torch.manual_seed(seed)
    model = task.head.from_pretrained(options.model, dtype=torch.float32, **task.config()).train()
    examples = random.Random(seed).sample(task.train, len(task.train))
    start = time.time()
    train(options, task, model, tokenizer, batches(examples))
    trained = time.time()
    model.eval()
    with torch.no_grad():
        answers = [
            answer
            for group in batches(task.validation)
            for answer in task.answers(model, tokenizer, group)
        ]
    return task.score(task.validation, answers), trained - start, time.time() - trained


def our_score(options, task, scratch, seed):
    out = gradus(
        options,
        task,
        options.model,
        scratch / f"seed{seed}",
        "--validation",
        task.files[1],
        "--epochs",
        1,
        "--seed",
        seed,
    )
    state = json.loads((out / "trainer_state.json").read_text())
    return state["best_metric"], state["train_runtime"], state["eval_runtime"]


def compare_scores(options, name, task, tokenizer, scratch):
    ours, peers = [], []
    for seed in options.seeds:
        ours.append(our_score(options, task, scratch, seed))
        peers.append(peer_score(options, task, tokenizer, seed))
    mean = lambda runs: tuple(map(statistics.mean, zip(*runs)))
    spread = lambda runs: (
        f" ± {statistics.stdev(score for score, _, _ in runs):.3f}" if len(runs) > 1 else ""
    )
    (a, a_train, a_eval), (b, b_train, b_eval) = mean(ours), mean(peers)
    print(
        f"| {name} | {len(task.train):,} / {len(task.validation):,} | {a:.3f}{spread(ours)} | {b:.3f}{spread(peers)} | {a_train:.1f} + {a_eval:.1f} s | {b_train:.1f} + {b_eval:.1f} s | "
        f"{a_train / b_train:.2f} |",
        flush=True,
    )


def seeds(text):
    first, _, last = text.partition("..")
    return list(range(int(first), int(last or first) + 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("curves", "scores"))
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=250, help="curves: at most so many")
    parser.add_argument("--most", type=int, default=2000, help="scores: training examples")
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--seeds", type=seeds, default=[1], help="one, or a range as 1..5")
    parser.add_argument("--gradus", default="build/gradus")
    options = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    tokenizer = transformers.AutoTokenizer.from_pretrained(options.model)
    print(
        f"torch {torch.__version__}, transformers {transformers.__version__}, {torch.get_num_threads()} threads",
        flush=True,
    )
    if options.what == "scores":
        subprocess.run(
            [options.gradus, "bench", "step", "--model", "tiny", "--steps", "1"], check=True
        )  # says the core, the kernels and the machine's sgemm rate
        print(
            "| set | train / validation | Gradus | transformers | Gradus, train + evaluate | transformers | ratio of training |\n|---|---|---|---|---|---|---|"
        )
    good = True
    for name in options.sets:
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            task = finetuning_tasks.load(
                name,
                options.data,
                scratch,
                tokenizer,
                options.most if options.what == "scores" else BATCH * options.steps,
            )
            if options.what == "scores" and not hasattr(task, "validation"):
                parser.error(f"{name} is too small to judge by a score: compare its curve")
            if options.what == "scores":
                compare_scores(options, name, task, tokenizer, scratch)
            else:
                good &= compare_curves(options, name, task, tokenizer, scratch)
    raise SystemExit(not good)


main()
