# Sourced by the other scripts: makes sure that what Gradus is built with is here, installing what is missing with apt, and builds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(
  "g++|the C++20 compiler"
  "meson|the build system"
  "ninja-build|runs the build"
  "pkg-config|finds the libraries"
  "libopenblas-openmp-dev|matrix products, in the build that shares our threads"
  "libfmt-dev|text formatting"
  "nlohmann-json3-dev|JSON"
  "libutf8proc-dev|Unicode tables"
  "zlib1g-dev|reads .gz"
  "libzstd-dev|reads .zst"
  "libcli11-dev|command line"
  "doctest-dev|tests"
)
# what the tests of examples/outside/ need besides
outside=(
  "cmake|builds examples/outside/ as CMake projects do"
  "make|builds it with pkg-config alone"
)

install_missing() {
  local missing=() entry name
  for entry in "${packages[@]}"; do
    name=${entry%%|*}
    if ! dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed'; then
      missing+=("$name")
      echo "missing: $name (${entry#*|})"
    fi
  done
  [[ ${#missing[@]} -eq 0 ]] && return
  local sudo=""
  if [[ $(id -u) -ne 0 ]]; then
    sudo=sudo
    command -v sudo >/dev/null || { echo "please install as root: apt-get install ${missing[*]}" >&2; exit 2; }
  fi
  echo "installing them with apt-get"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build [ninja targets]: configures once, then builds into build/.
build() {
  [[ -f build/build.ninja ]] || meson setup build >build.log 2>&1 || { cat build.log >&2; rm -f build.log; exit 1; }
  rm -f build.log
  echo "building (a few minutes the first time)"
  if [[ -t 1 ]]; then ninja -C build "$@"; return; fi
  # Not on a terminal: one line, or what went wrong.
  ninja -C build "$@" >build/build.log 2>&1 || { grep -A 30 -m 1 '^FAILED' build/build.log >&2; tail -n 1 build/build.log >&2; exit 1; }
  tail -n 1 build/build.log
}
