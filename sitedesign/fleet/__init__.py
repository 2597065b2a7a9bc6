"""Which of many candidate sites are built, and how large each: a choice over what a batch has found."""
