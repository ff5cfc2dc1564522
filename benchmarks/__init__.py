"""Speed measured as ratios, for developers."""
