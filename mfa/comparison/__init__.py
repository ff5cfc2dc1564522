"""Several runs side by side: tables, paired tests, failures, verification."""
