"""The plant of a planner who sees everything."""
