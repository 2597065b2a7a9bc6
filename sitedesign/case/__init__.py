"""One study as arrays: what the optimiser and the operator are given."""
