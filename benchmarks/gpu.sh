#!/usr/bin/env bash
# Tests and benchmarks on a GPU, in under six minutes; the results go to OUT/gpu.json.
#
#   benchmarks/gpu.sh OUT              on a machine with CUDA
#   benchmarks/gpu.sh OUT --rehearse   the same on a CPU, with tiny settings
#
# PYTHON names the interpreter (default python3), WHEELS a folder of wheels that it lacks, which are
# installed beside it without a network. What fails is in the results; the exit code is 1 then.
set -uo pipefail
out=${1:?usage: benchmarks/gpu.sh OUT [--rehearse]}
mode=${2:-}
[[ -z $mode || $mode == --rehearse ]] || { echo "gpu.sh: unknown option $mode" >&2; exit 2; }
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 2
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
source benchmarks/offline.sh

tests_seconds=140 speed_seconds=140 batches_seconds=50
speed=(--max-seconds 110)
# Preset paper with its own batch, and with one that fills a GPU.
batches=(--presets paper --sizes 128 --batch-sizes 64 1024 --precisions bfloat16 --max-seconds 40)
if [[ $mode == --rehearse ]]; then
    export TWOBIRDS_GPU_REHEARSAL=1
    tests_seconds=900 speed_seconds=900 batches_seconds=300
    small=(--device cpu --sizes 32 --width 0.125 --seconds 0.1 --faces 64 --matrix-size 64
        --channels 8 --max-seconds 600)
    speed=("${small[@]}" --batch-sizes 8)
    batches=("${small[@]}" --batch-sizes 4 8 --presets paper --precisions bfloat16)
fi

# Not pyproject.toml's "warnings are errors": another torch may warn of other things.
timeout "$tests_seconds" "$python" -m pytest --no-header -q -m 'gpu or not slow' \
    -o filterwarnings=default -p no:cacheprovider --junitxml="$out/tests.xml" \
    tests/test_gpu.py tests/test_devices.py 2>&1 | tee "$out/tests.log"
timeout "$speed_seconds" "$python" benchmarks/gpu_throughput.py \
    --tests "$out/tests.xml" --out "$out/gpu.json" "${speed[@]}" 2>&1 | tee "$out/speed.log"
status=${PIPESTATUS[0]}
timeout "$batches_seconds" "$python" benchmarks/gpu_throughput.py \
    --out "$out/paper.json" "${batches[@]}" 2>&1 | tee -a "$out/speed.log"
status=$((status | PIPESTATUS[0]))
echo "gpu.sh: $SECONDS seconds"
exit "$status"
