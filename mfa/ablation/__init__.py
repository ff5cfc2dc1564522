"""Ablations: a plan is rows of configurations; the runner trains and scores each with each seed."""

from mfa.ablation.plans import PLANS, Row, load_plan
from mfa.ablation.runner import Outcome, estimate, run_plan

__all__ = ["PLANS", "Outcome", "Row", "estimate", "load_plan", "run_plan"]
