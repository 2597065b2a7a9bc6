"""Which uncertain number decides: each at both ends of its range, switching values, value of information."""
