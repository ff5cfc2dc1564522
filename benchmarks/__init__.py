"""Speed measurements for developers: ``python -m benchmarks NAME``, ``make bench`` for all.

Part of the checkout, not of the installed packages: ``mfa`` and ``viz`` never import it.
"""
