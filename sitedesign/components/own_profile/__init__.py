"""A user's own profile of load or sun."""
