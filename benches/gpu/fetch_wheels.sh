#!/usr/bin/env bash
# Fetches what benches/gpu/run.sh needs besides PyTorch and NumPy, for a machine without network; about 30 MB.
#   benches/gpu/fetch_wheels.sh [PYTHON_VERSION]     e.g. 3.11; default: that of python3
set -euo pipefail
cd "$(dirname "$0")"
version="${1:-$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')}"
packages=(pydantic pyyaml typing-extensions onnx rich pytest pytest-timeout)
mkdir -p wheels
python3 -m pip download -q --only-binary=:all: --python-version "$version" -d wheels "${packages[@]}"
rm -f wheels/numpy-*.whl # the machine's own
du -sh wheels
