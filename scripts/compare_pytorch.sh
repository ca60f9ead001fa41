#!/bin/sh
# Every head class of BERT against transformers at the sizes tiny and mini: logits, losses, hidden states, attention probabilities and all gradients, in
# f32 and f64, with both GELUs; and 200 training steps of tiny. Prints docs/parity.md's tables and fails where a tolerance is exceeded. Needs a python with torch, transformers and
# safetensors:   PYTHON=venv/bin/python scripts/compare_pytorch.sh [BUILD]
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ninja -C "$build" tests/parity/compare-pytorch >/dev/null
for size in tiny mini; do
  "${PYTHON:-python3}" tests/fixtures/make_head_cases.py "$folder/$size" --size $size >/dev/null 2>&1
  echo "## $size"
  "$build/tests/parity/compare-pytorch" "$folder/$size"/*
done
"${PYTHON:-python3}" tests/fixtures/make_training_case.py "$folder/training" --size tiny 2>/dev/null
"$build/tests/parity/compare-pytorch" "$folder/training"
