"""What fails: rates, sampled years of failures."""
