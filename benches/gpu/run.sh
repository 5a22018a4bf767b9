#!/usr/bin/env bash
# Everything that needs an NVIDIA GPU, on a bare machine without network, in less than 10 minutes:
# build, GPU tests, compute-sanitizer, parity, latency, the comparison with PyTorch, roofline; one table and JSON.
#
#   benches/gpu/run.sh [--dry] [--no-build] [--runtime auto|tensorrt|tensorrt-rtx|torch] [--out FOLDER]
#
# It wants: CUDA (nvcc), PyTorch with CUDA, CMake, ninja, pybind11, NumPy. What else is needed in Python lies as
# wheels in benches/gpu/wheels (fetch_wheels.sh, where there is a network). --dry: without a GPU, as far as it goes.
set -uo pipefail
cd "$(dirname "$0")/../.."

dry=0 build=1 runtime=auto out=benches/results
while (($#)); do
  case "$1" in
    --dry) dry=1 ;;
    --no-build) build=0 ;;
    --runtime) runtime="$2"; shift ;;
    --out) out="$2"; shift ;;
    *) echo "benches/gpu/run.sh: $1 is no option; allowed: --dry, --no-build, --runtime NAME, --out FOLDER" >&2; exit 2 ;;
  esac
  shift
done

python="${PYTHON:-python3}" failed=() started=$SECONDS
say() { printf '\n== %s (%d s)\n' "$1" "$((SECONDS - started))"; }
step() { # name, seconds at most, command: a step that fails is named at the end, and the others go on
  local name="$1" limit_s="$2" rc=0
  shift 2
  say "$name"
  timeout "$limit_s" "$@" || rc=$?
  ((rc == 0)) || failed+=("$name (exit $rc)")
}

say "machine"
nvidia-smi --query-gpu=name,driver_version,clocks.max.sm,memory.total --format=csv 2>/dev/null || echo "no nvidia-smi"
nvcc --version 2>/dev/null | tail -n 1 || true
if ! ((dry)) && ! command -v nvidia-smi >/dev/null; then
  echo "benches/gpu/run.sh: there is no NVIDIA driver here; allowed without one: --dry" >&2
  exit 2
fi

wheels=benches/gpu/wheels
if [[ -d "$wheels" ]]; then # beside PyTorch of the machine, never over it
  step "wheels" 60 "$python" -m pip install -q --no-index --no-deps --target build/gpu-wheels --upgrade "$wheels"/*.whl
  export PYTHONPATH="$PWD/build/gpu-wheels${PYTHONPATH:+:$PYTHONPATH}"
fi
export PYTHONPATH="$PWD/python:$PWD${PYTHONPATH:+:$PYTHONPATH}"
FASTPOSE_CACHE="$(mktemp -d)" # engines of this run alone
export FASTPOSE_CACHE
trap 'rm -rf "$FASTPOSE_CACHE"' EXIT

if ((build)); then
  cuda=ON
  command -v nvcc >/dev/null || cuda=OFF
  configure=(cmake -S . -B build/gpu -G Ninja -DCMAKE_BUILD_TYPE=Release -DFASTPOSE_IN_SOURCE=ON -DFASTPOSE_ARAVIS=OFF)
  configure+=("-DFASTPOSE_CUDA=$cuda" "-Dpybind11_DIR=$("$python" -m pybind11 --cmakedir)")
  configure+=("-DPython_EXECUTABLE=$(command -v "$python")")
  step "configure" 60 "${configure[@]}"
  step "build" 240 cmake --build build/gpu
fi

tests=(tests/python/test_cuda_*.py tests/python/test_analyze_batches.py tests/python/test_examples_gpu.py)
tests+=(tests/python/test_hosts_hardware.py)
options=(-q -p no:cacheprovider --override-ini "addopts=")
if ((dry)); then
  step "GPU tests that need no GPU" 600 "$python" -m pytest "${options[@]}" "${tests[@]}"
else
  export FASTPOSE_REQUIRE_GPU=1
  step "GPU tests" 120 "$python" -m pytest "${options[@]}" "${tests[@]}"
  if command -v compute-sanitizer >/dev/null; then
    kernels=("$python" -m pytest "${options[@]}" tests/python/test_cuda_{parity,lists,crops}.py)
    for tool in memcheck racecheck; do
      step "compute-sanitizer $tool" 90 compute-sanitizer --tool "$tool" --error-exitcode 1 "${kernels[@]}"
    done
  else
    failed+=("compute-sanitizer is not installed")
  fi
fi

bench=("$python" -m benches.gpu --runtime "$runtime")
if ((dry)); then bench+=(--dry); else mkdir -p "$out"; bench+=(--json "$out/gpu.json"); fi
step "parity, latency, PyTorch, roofline" 240 "${bench[@]}"

say "done"
if ((${#failed[@]})); then
  printf 'FAILED: %s\n' "${failed[@]}"
  exit 1
fi
