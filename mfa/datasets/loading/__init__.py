"""Pictures from disk to batches: decode, cache, sample, augment."""
