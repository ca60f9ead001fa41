"""BERT as published, pretrained by PyTorch on the documents and the vocabulary of a corpus file's
text: what a run of Gradus is compared with at equal minutes.

    compare_pretraining.py --train train/*.txt --held-out held/*.txt --vocab vocab.txt
                           --config config.json --minutes 15 --out runs/pytorch

transformers' BertForPreTraining in its best form (docs/performance.md): logits at the predicted
positions alone, SDPA, fused AdamW, sequences packed to full length in pairs as Devlin et al. build
them (half of the second segments from elsewhere), 15 % masked, 80/10/10, at most 20 predictions,
weight decay 0.01 but for biases and norms, linear rate with a warm-up of 10 %, clip at 1. --bf16
runs forward and backward under autocast. A line every tenth of the time, and in the end the
held-out loss of full sequences without pairs at 15 % masked; --out is a folder that Gradus opens,
so that its own evaluation can judge it.
"""

import argparse
import json
import pathlib
import random
import time

import torch
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertForPreTraining

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--train", nargs="+", required=True)
parser.add_argument("--held-out", nargs="+", required=True)
parser.add_argument("--vocab", required=True)
parser.add_argument("--config", required=True)
parser.add_argument("--minutes", type=float, default=15)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--length", type=int, default=128)
parser.add_argument("--learning-rate", type=float, default=2e-3)
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--bf16", action="store_true")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--out", required=True)
options = parser.parse_args()

torch.manual_seed(options.seed)
chance = random.Random(options.seed)
tokenizer = BertWordPieceTokenizer(options.vocab, lowercase=True)
ids = {piece: tokenizer.token_to_id(piece) for piece in ("[PAD]", "[CLS]", "[SEP]", "[MASK]")}
pieces = tokenizer.get_vocab_size()


def documents(files):
    """Each file is a document: the token ids of its lines."""
    for file in files:
        lines = [line for line in pathlib.Path(file).read_text().split("\n") if line.strip()]
        encoded = tokenizer.encode_batch(lines, add_special_tokens=False)
        yield [line.ids for line in encoded if line.ids]


def pairs(corpus):
    """(first, second, whether the second is from elsewhere), by create_pretraining_data's rule."""
    room = options.length - 3
    for number, lines in enumerate(corpus):
        chunk, size, at = [], 0, 0
        while at < len(lines):
            chunk.append(lines[at])
            size += len(lines[at])
            if at == len(lines) - 1 or size >= room:
                cut = chance.randint(1, len(chunk) - 1) if len(chunk) > 1 else 1
                first = [i for line in chunk[:cut] for i in line]
                elsewhere = len(chunk) == 1 or chance.random() < 0.5
                if elsewhere:
                    other = corpus[chance.choice([i for i in range(len(corpus)) if i != number])]
                    begin, second = chance.randrange(len(other)), []
                    while begin < len(other) and len(second) < room - len(first):
                        second += other[begin]
                        begin += 1
                    at -= len(chunk) - cut
                else:
                    second = [i for line in chunk[cut:] for i in line]
                while len(first) + len(second) > room:
                    longer = first if len(first) > len(second) else second
                    longer.pop(0 if chance.random() < 0.5 else -1)
                if first and second:
                    yield first, second, elsewhere
                chunk, size = [], 0
            at += 1


def stretches(corpus):
    """Full sequences of one segment."""
    room = options.length - 2
    for lines in corpus:
        tokens = [i for line in lines for i in line]
        for begin in range(0, len(tokens) - room + 1, room):
            yield tokens[begin : begin + room]


def tensors(instances):
    """ids, types and labels of next sentences for pairs or single segments."""
    n = len(instances)
    tokens = torch.full((n, options.length), ids["[PAD]"])
    types, next_labels = torch.zeros_like(tokens), torch.zeros(n, dtype=torch.long)
    for row, instance in enumerate(instances):
        first, second, elsewhere = instance if isinstance(instance, tuple) else (instance, None, 0)
        line = [ids["[CLS]"], *first, ids["[SEP]"]]
        if second is not None:
            types[row, len(line) : len(line) + len(second) + 1] = 1
            line += [*second, ids["[SEP]"]]
        tokens[row, : len(line)] = torch.tensor(line)
        next_labels[row] = int(elsewhere)
    return tokens, types, next_labels


def mask(tokens, share, most):
    """The masked ids, where predictions are and what is right there."""
    masked = tokens.clone()
    special = torch.isin(tokens, torch.tensor(list(ids.values())))
    order = torch.rand(tokens.shape).masked_fill(special, 2).argsort(dim=1)
    count = ((~special).sum(1) * share).round().clamp(1, most).long()
    chosen = torch.arange(tokens.shape[1]).expand_as(tokens) < count[:, None]
    where = torch.zeros_like(special).scatter(1, order, chosen)
    kind = torch.rand(tokens.shape)
    masked[where & (kind < 0.8)] = ids["[MASK]"]
    other = torch.randint(pieces, tokens.shape)
    masked[where & (kind >= 0.9)] = other[where & (kind >= 0.9)]
    at = where.flatten().nonzero().flatten()
    return masked, at, tokens.flatten()[at]


config = BertConfig.from_json_file(options.config)
config.hidden_dropout_prob = config.attention_probs_dropout_prob = options.dropout
config._attn_implementation = "sdpa"
model = BertForPreTraining(config)
decayed, others = [], []
for name, parameter in model.named_parameters():
    (others if name.endswith("bias") or "LayerNorm" in name else decayed).append(parameter)
optimizer = torch.optim.AdamW(
    [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0}],
    lr=options.learning_rate,
    eps=1e-6,
    fused=True,
)


def losses(tokens, types, next_labels, share, most):
    """Losses of masked words and of next sentences, and how many words were right."""
    masked, at, right = mask(tokens, share, most)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.bf16):
        hidden, pooled = model.bert(
            masked, token_type_ids=types, attention_mask=(tokens != ids["[PAD]"]).long()
        )[:2]
        logits = model.cls.predictions(hidden.flatten(0, 1)[at]).float()
        answers = model.cls.seq_relationship(pooled).float()
    cross_entropy = torch.nn.functional.cross_entropy
    correct = (logits.argmax(1) == right).sum()
    return cross_entropy(logits, right), cross_entropy(answers, next_labels), correct, len(right)


def held_out_loss(batches):
    """Mean loss and accuracy over the held-out stretches."""
    state = torch.get_rng_state()
    torch.manual_seed(0)
    model.eval()
    total = hits = count = 0
    with torch.no_grad():
        for batch in batches:
            loss, _, correct, n = losses(*tensors(batch), 0.15, options.length)
            total, hits, count = total + float(loss) * n, hits + int(correct), count + n
    model.train()
    torch.set_rng_state(state)
    return total / count, hits / count


print("tokenizing", flush=True)
train, held_out = list(documents(options.train)), list(documents(options.held_out))
judged = list(stretches(held_out))
judged = [judged[i : i + 64] for i in range(0, len(judged), 64)]
print(
    f"torch {torch.__version__}, {torch.get_num_threads()} threads, "
    f"{sum(p.numel() for p in model.parameters())} parameters, {64 * len(judged)} held-out stretches",
    flush=True,
)

model.train()
start, said, steps, seen = time.perf_counter(), 0, 0, 0
limit = 60 * options.minutes
while time.perf_counter() - start < limit:
    instances = list(pairs(train))
    chance.shuffle(instances)
    for begin in range(0, len(instances) - options.batch + 1, options.batch):
        done = (time.perf_counter() - start) / limit
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * min(done / 0.1, (1 - done) / 0.9)
        tokens, types, next_labels = tensors(instances[begin : begin + options.batch])
        words, sentences, _, _ = losses(tokens, types, next_labels, 0.15, 20)
        optimizer.zero_grad(set_to_none=True)
        (words + sentences).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        optimizer.step()
        steps, seen = steps + 1, seen + int((tokens != ids["[PAD]"]).sum())
        if done * 10 >= said + 1:
            said += 1
            print(
                f"{100 * done:.0f} %  {steps} steps  {seen / 1e6:.2f} M tokens  "
                f"MLM loss {float(words):.3f}  NSP loss {float(sentences):.3f}",
                flush=True,
            )
minutes = (time.perf_counter() - start) / 60
loss, accuracy = held_out_loss(judged)
print(
    f"{steps} steps, {seen / 1e6:.2f} M tokens in {minutes:.1f} minutes: held out MLM loss "
    f"{loss:.3f}, accuracy {accuracy:.3f}"
)
out = pathlib.Path(options.out)
model.save_pretrained(out)
(out / "vocab.txt").write_text(pathlib.Path(options.vocab).read_text())
(out / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
