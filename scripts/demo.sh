#!/usr/bin/env bash
# Builds Gradus and shows it: a small BERT learns the story world from nothing and fills masks. Installs what is missing with apt-get, saying what and why.
source "$(dirname "$0")/setup.sh"
install_missing
build gradus
exec build/gradus demo "$@"
