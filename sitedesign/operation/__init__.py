"""How a plant is run by an operator who cannot see the future."""
