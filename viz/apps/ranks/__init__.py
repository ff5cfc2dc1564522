"""The rank explorer."""
