"""Charts: ``ax=None`` in, Axes out. What they show is computed in ``mfa``."""
