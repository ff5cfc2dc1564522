"""The occlusion app."""
