"""Simulation-based optimisation: the plant of an operator who cannot see the future."""
