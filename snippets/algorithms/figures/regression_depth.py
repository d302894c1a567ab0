"""The figures of algorithms/regression_depth."""
