"""Optimisers: the hour-by-hour model, the exact recursion, the master, and the solver."""
