"""Readers, one per dataset, and what they share."""
