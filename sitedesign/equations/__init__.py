"""The Pyomo equations, one file per subject."""
