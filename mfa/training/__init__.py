"""Training: the loop, one step, schedule, several processes, distillation."""
