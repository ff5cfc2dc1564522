"""The ablation app."""
