#!/usr/bin/env bash
# Builds Gradus and runs all its tests and examples. Installs what is missing with apt-get, saying
# what and why. Ends with "N passed, N failed".
source "$(dirname "$0")/setup.sh"
packages+=("${outside[@]}")
install_missing
build
echo "the engine: $(cat autograd/*.{h,cpp} ops/*.{h,cpp} | wc -l) lines in autograd and ops," \
  "kernels left out (the aim: an afternoon's reading, about 5,000)"
python3 scripts/run_tests.py build "$@"
