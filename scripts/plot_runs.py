"""Draws the held-out MLM loss of runs against their tokens, as an SVG: plot_runs.py OUT.svg UNIGRAM
NAME=RUN_FOLDER[,PEER_TOKENS_M,PEER_LOSS] ...

Lines are a run's evaluations (metrics.jsonl), a diamond is what PyTorch reached with the same plan,
the dashed line the unigram cross-entropy.
"""

import json
import pathlib
import sys

out, unigram, *arguments = sys.argv[1:]
unigram = float(unigram)
colours = ["#1b6ca8", "#c8553d", "#588157", "#6d597a"]
runs = []
for argument in arguments:
    name, rest = argument.split("=", 1)
    folder, *peer = rest.split(",")
    lines = [
        json.loads(line)
        for line in (pathlib.Path(folder) / "metrics.jsonl").read_text().splitlines()
    ]
    points = [
        (line["tokens"] / 1e6, line["eval_masked_lm_loss"])
        for line in lines
        if "eval_masked_lm_loss" in line
    ]
    runs.append((name, points, tuple(map(float, peer)) if peer else None))

width, height, left, bottom, top, right = 720, 400, 60, 50, 20, 20
values = [y for _, points, peer in runs for _, y in points + ([peer] if peer else [])] + [unigram]
x_max = max(x for _, points, peer in runs for x, _ in points + ([peer] if peer else [])) * 1.05
margin = 0.15 * max(1, max(values) - min(values))
y_min, y_max = min(values) - margin, max(values) + margin
x_at = lambda x: left + (width - left - right) * x / x_max
y_at = lambda y: top + (height - top - bottom) * (y_max - y) / (y_max - y_min)
svg = [
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
    f'<rect width="{width}" height="{height}" fill="white"/>',
]
step = 0.2 if y_max - y_min < 2 else 0.5
tick = round(y_min / step + 0.5) * step
while tick <= y_max:
    svg.append(
        f'<line x1="{left}" x2="{width - right}" y1="{y_at(tick):.1f}" y2="{y_at(tick):.1f}" stroke="#e5e5e5"/><text x="{left - 8}" y="{y_at(tick) + 4:.1f}" text-anchor="end">{tick:.1f}</text>'
    )
    tick += step
for x in range(0, int(x_max) + 1, max(1, int(x_max) // 8)):
    svg.append(
        f'<text x="{x_at(x):.1f}" y="{height - bottom + 18}" text-anchor="middle">{x}</text>'
    )
svg.append(
    f'<text x="{(left + width - right) / 2}" y="{height - 10}" text-anchor="middle">tokens trained on (millions)</text>'
)
svg.append(
    f'<text x="16" y="{(top + height - bottom) / 2}" text-anchor="middle" transform="rotate(-90 16 {(top + height - bottom) / 2})">held-out MLM loss (nat)</text>'
)
svg.append(
    f'<line x1="{left}" x2="{width - right}" y1="{y_at(unigram):.1f}" y2="{y_at(unigram):.1f}" stroke="#888" stroke-dasharray="5 4"/>'
    f'<text x="{width - right}" y="{y_at(unigram) - 5:.1f}" text-anchor="end" fill="#666">unigram {unigram}</text>'
)
label_heights = []
for (name, points, peer), colour in zip(runs, colours):
    path = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in points)
    svg.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    svg += [
        f'<circle cx="{x_at(x):.1f}" cy="{y_at(y):.1f}" r="3" fill="{colour}"/>' for x, y in points
    ]
    x, y = points[-1]
    height_of_label = y_at(y) + 18
    while any(abs(height_of_label - other) < 14 for other in label_heights):
        height_of_label += 1
    label_heights.append(height_of_label)
    svg.append(
        f'<text x="{x_at(x) - 4:.1f}" y="{height_of_label:.1f}" text-anchor="end" fill="{colour}">{name}: {y:.3f}</text>'
    )
    if peer:
        px, py = x_at(peer[0]), y_at(peer[1])
        svg.append(
            f'<path d="M{px:.1f} {py - 6:.1f} l6 6 l-6 6 l-6 -6 z" fill="none" stroke="{colour}" stroke-width="2"/>'
            + (
                f'<text x="{px + 10:.1f}" y="{py + 4:.1f}"'
                if px < width / 2
                else f'<text x="{px - 10:.1f}" y="{py - 6:.1f}" text-anchor="end"'
            )
            + f' fill="{colour}">PyTorch {peer[1]:.3f}</text>'
        )
svg.append("</svg>")
pathlib.Path(out).write_text("\n".join(svg) + "\n")
