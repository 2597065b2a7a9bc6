"""What an operator can really do: outages, causal operation, certification."""
