"""Tools that know nothing of power plants."""
