#!/usr/bin/env bash
# Trains preset modern for some minutes on a GPU machine that takes and gives little at a time.
#
#   benchmarks/gpu_leg.sh keep CARRIED WORK        copy what was carried to WORK, where it stays
#   benchmarks/gpu_leg.sh train WORK OUT MINUTES   train, and put the first results into OUT
#   benchmarks/gpu_leg.sh collect WORK OUT FIRST   put the run's pieces from number FIRST into OUT
#
# CARRIED has any of: wheels/*.whl (carry_wheels.sh), faces/faces-*.zip (carry_pack.py), and the run
# to go on with in run/ (carry_run.py). Call `keep` as often as it takes; `train` needs all pieces of
# the faces. OUT gets two grids of samples, the log, and MAX_PIECES (4) of the run's pieces of
# PIECE_MIB (12.5), weights first: `carry_run.py restore` makes a run of them where they go.
#
# PYTHON, PRESET, DEVICE, PRECISION, and SETTINGS, as after `twobirds train --set`, may be set; all
# legs of a run need the same SETTINGS. A leg with DEVICE=cpu rehearses all of it.
set -euo pipefail
usage="usage: benchmarks/gpu_leg.sh keep CARRIED WORK | train WORK OUT MINUTES | collect WORK OUT FIRST"
command=${1:?$usage} first=${2:?$usage} second=${3:?$usage} third=${4:-}
case $command in
keep) from=$first work=$second ;;
train | collect)
    work=$first out=$second
    : "${third:?$usage}"
    ;;
*)
    echo "$usage" >&2
    exit 2
    ;;
esac
mkdir -p "$work" ${out:+"$out"}
work=$(cd "$work" && pwd)
[[ -z ${out:-} ]] || out=$(cd "$out" && pwd)

if [[ $command == keep ]]; then
    cp -r "$from"/. "$work"
    du -sh "$work"/*
    exit
fi

give() { # The run's pieces from number $1, as many as may go at once.
    local pieces=("$work"/pieces/weights-* "$work"/pieces/moments-*)
    cp "${pieces[@]:$1-1:${MAX_PIECES:-4}}" "$out"
    echo "gpu_leg.sh: pieces from $1 of ${#pieces[@]} in $out"
}

if [[ $command == collect ]]; then
    give "$third"
    exit
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ ! -d $work/wheels ]] || WHEELS=$work/wheels
source benchmarks/offline.sh
[[ -e $work/pack ]] || "$python" benchmarks/carry_pack.py unpack "$work/faces" "$work/pack"
if [[ -d $work/run && ! -e $work/training/checkpoint.pt ]]; then
    "$python" benchmarks/carry_run.py restore "$work/run" "$work/training"
fi

defaults=(train.checkpoint_every_seconds=60 train.sample_every_images=25000)
read -ra settings <<<"${SETTINGS:-}"
for setting in "${defaults[@]}"; do
    [[ " ${SETTINGS:-}" == *" ${setting%%=*}="* ]] || settings+=("$setting")
done
status=0
"$python" -m twobirds train "${PRESET:-modern}" --data "$work/pack" --out "$work/training" \
    --device "${DEVICE:-cuda}" --precision "${PRECISION:-auto}" --minutes "$third" --resume \
    --set "${settings[@]}" 2>&1 | tee "$out/train.log" || status=$?
[[ -e $work/training/checkpoint.pt ]] || exit "$status"

rm -rf "$work/pieces"
"$python" benchmarks/carry_run.py write "$work/training" "$work/pieces" \
    --piece-mib "${PIECE_MIB:-12.5}"
grids=$(find "$work/training/samples" -name '*.png' 2>/dev/null | sort | tail -n 1)
cp ${grids:+"$grids"} "$work/training/latest.png" "$out"
give 1
[[ $status == 0 || $status == 4 ]] || exit "$status" # 4: images are left
