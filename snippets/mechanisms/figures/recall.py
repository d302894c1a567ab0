"""The figures of mechanisms/recall."""
