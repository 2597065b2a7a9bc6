"""The question: what is asked, and what is wrong with it."""
