"""What money costs: annual cost of a plant."""
