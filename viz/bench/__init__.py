"""What ``mfa-viz bench`` measures, one module a measurement, each with ``run()``."""
