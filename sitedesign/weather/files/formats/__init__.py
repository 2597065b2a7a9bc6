"""Families of weather files: each module recognises its own by content and parses it to a :class:`Record`."""
