"""The figures of mechanisms/in_context_regression."""
