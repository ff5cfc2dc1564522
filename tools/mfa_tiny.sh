#!/bin/sh
# Make data/weights/mfa-tiny.safetensors again: tools/mfa_tiny.sh TEACHER DATA_ROOT [FILE]
# TEACHER is a model (.xml or .onnx, see pip install .[external]): it is asked about views of the
# training pictures, which no file of features holds. Each step goes on where it was interrupted.
# They compute in bfloat16; on processors without its instructions take --optim.cpu-bfloat16 out.
set -eu
teacher=$1 root=$2 file=${3:-runs/mfa-tiny.safetensors}
mfa=${MFA:-.venv/bin/mfa}
views=$root/market1501-views trunk=runs/mfa-tiny-trunk whole=runs/mfa-tiny-whole
common="--teacher $teacher --resume --optim.cpu-bfloat16"

[ -d "$views" ] || $mfa data views market1501 --copies 3 --data-root "$root" --out "$views"
# The trunk learns the teacher's features of pictures and views, without labels.
# shellcheck disable=SC2086
$mfa train cpu $common --variant baseline --data folder --data-root "$views" \
    --run "$trunk" --optim.epochs 13 --optim.warmup-epochs 0.75
# The whole network learns people by MFA's own losses; the teacher stays as one more term.
# shellcheck disable=SC2086
$mfa train tiny $common --labels --model.weights none --init "$trunk" \
    --data market1501 --data-root "$root" --run "$whole" \
    --data.pids 16 --data.pad 8 --data.erasing 0.5 --data.jitter 0.2 \
    --optim.lr 0.002 --optim.epochs 24 --optim.warmup-epochs 1
$mfa export "$whole" "$file" --name mfa-tiny
$mfa evaluate "$file" --data market1501 --data-root "$root" --flip --json
