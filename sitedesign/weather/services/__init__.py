"""Weather from services on the network."""
