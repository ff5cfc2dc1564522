"""Pictures in, features out."""
