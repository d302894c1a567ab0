"""The figures of induction_heads/causal_graph."""
