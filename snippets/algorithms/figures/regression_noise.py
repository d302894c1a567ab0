"""The figures of algorithms/regression_noise."""
