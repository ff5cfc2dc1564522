#!/bin/sh
# Make data/weights/mfa-tiny.safetensors again: tools/mfa_tiny.sh TEACHER.npz DATA_ROOT
# TEACHER may also be an .xml or .onnx model. Each step goes on where it was interrupted. The steps
# compute in bfloat16; on processors without its instructions take --optim.cpu-bfloat16 out.
set -eu
teacher=$1 root=$2
mfa=${MFA:-.venv/bin/mfa}
trunk=runs/mfa-tiny-trunk whole=runs/mfa-tiny-whole file=${3:-runs/mfa-tiny.safetensors}
common="--teacher $teacher --data market1501 --data-root $root --resume --optim.cpu-bfloat16"

# The trunk learns the teacher's features, without labels.
# shellcheck disable=SC2086
$mfa distill $common --student cpu --variant baseline --run "$trunk"
# The whole network learns people by MFA's own losses; the teacher stays as one more term.
# shellcheck disable=SC2086
$mfa distill $common --student tiny --labels --model.weights none --init "$trunk" --run "$whole" \
    --data.pids 16 --data.pad 8 --data.erasing 0.5 --data.jitter 0.2 \
    --optim.lr 0.002 --optim.epochs 26 --optim.warmup-epochs 1
$mfa export "$whole" "$file" --name mfa-tiny
$mfa evaluate "$file" --data market1501 --data-root "$root" --flip --json
