"""What is reported of a plant."""
