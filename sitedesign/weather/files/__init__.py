"""Weather files: read, checked, repaired, written."""
