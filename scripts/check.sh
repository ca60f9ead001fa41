#!/usr/bin/env bash
# All that a change is held to, more than scripts/test.sh: the whole suite built by GCC, by Clang
# and with the sanitizers (address and undefined behaviour); with these the readers of files fed by
# libFuzzer, and damaged folders given to the program; clang-tidy and clang-format over the tree.
# Takes hours on a small machine:
#
#   scripts/check.sh                           all of it
#   scripts/check.sh clang sanitizers          these; there are: format gcc clang sanitizers fuzz
#                                              folders tidy
#   FUZZ="--seconds 60 squad" scripts/check.sh fuzz     options of tests/fuzz/run.py
#   ROOMS="nn optim" scripts/check.sh tidy              clang-tidy over some rooms
#
# Installs what is missing with apt-get. Ends with a line per check, and "N of N checks passed".
source "$(dirname "$0")/setup.sh"

known=(format gcc clang sanitizers fuzz folders tidy)
checks=("$@")
[[ ${#checks[@]} -gt 0 ]] || checks=("${known[@]}")
clang=("clang-14|the other compiler" "libomp-14-dev|its OpenMP")
packages+=("${outside[@]}")
for check in "${checks[@]}"; do
  case $check in
    gcc) ;;
    clang | sanitizers | fuzz | folders) packages+=("${clang[@]}") ;;
    tidy) packages+=("${clang[@]}" "clang-tidy-14|finds faults by reading") ;;
    format) packages+=("clang-format-14|the form of the source") ;;
    *) echo "no check is called $check; there are: ${known[*]}" >&2; exit 2 ;;
  esac
done
install_missing

# configure FOLDER COMPILER [meson options]
configure() {
  local folder=$1 compiler=$2
  shift 2
  [[ -f $folder/build.ninja ]] || CXX=$compiler meson setup "$folder" "$@" >/dev/null
}

# built FOLDER [TARGET...]: builds all, or these; says what fails.
built() {
  local folder=$1
  shift
  if ! ninja -C "$folder" "$@" >"$folder/build.log" 2>&1; then
    grep -A 30 -m 1 '^FAILED' "$folder/build.log"
    echo "$folder does not build"
    return 1
  fi
}

# suite FOLDER: builds it and runs every test; what it says last are the counts.
suite() { built "$1" && GRADUS_CHECK_ALL=1 python3 scripts/run_tests.py "$1"; }

check_gcc() { configure build-gcc g++ && suite build-gcc; }
check_clang() { configure build-clang clang++-14 && suite build-clang; }

# -O1: what the sanitizers are to see is the source, not what -O3 made of it. Leaks: the OpenMP
# runtime's threads hold theirs until the end.
sanitized=(build-sanitizers clang++-14 -Doptimization=1 -Db_sanitize=address,undefined
  -Db_lundef=false -Dfuzz=true)
check_sanitizers() {
  export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  configure "${sanitized[@]}" && suite build-sanitizers
}
check_fuzz() {
  configure "${sanitized[@]}" && built build-sanitizers tests/fuzz/fuzzer &&
    python3 tests/fuzz/run.py build-sanitizers/tests/fuzz/fuzzer ${FUZZ:-}
}
check_folders() {
  configure "${sanitized[@]}" && built build-sanitizers gradus &&
    python3 tests/fuzz/folders.py build-sanitizers/gradus
}

check_tidy() {
  local rooms=${ROOMS:-$(ls -d */ | tr -d /)} files found
  files="$PWD/(${rooms//[[:space:]]/|})/.*\.cpp"
  configure build-clang clang++-14 && built build-clang cli/commit.h || return 1
  found=$(run-clang-tidy-14 -quiet -p build-clang "$files" 2>/dev/null |
    grep -E '(warning|error):' | sort -u)
  echo "$found"
  echo "clang-tidy: $(grep -c . <<<"$found") warnings"
  [[ -z $found ]]
}

check_format() {
  local files=()
  mapfile -t files < <(git ls-files '*.h' '*.cpp')
  clang-format-14 --dry-run -Werror "${files[@]}" || return 1
  echo "clang-format: ${#files[@]} files are as they should be"
}

passed=0
lines=()
for check in "${checks[@]}"; do
  echo "== $check"
  log=$(mktemp)
  word=FAILED
  if (set +e; "check_$check") 2>&1 | tee "$log"; then
    word=ok
    passed=$((passed + 1))
  fi
  lines+=("$(printf '%-11s %-6s %s' "$check" "$word" "$(tail -n 1 "$log")")")
  rm -f "$log"
done
echo
printf '%s\n' "${lines[@]}"
echo "$passed of ${#checks[@]} checks passed"
[[ $passed -eq ${#checks[@]} ]]
