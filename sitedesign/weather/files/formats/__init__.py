"""Formats of weather files: each module recognises its own and parses it to a :class:`WeatherRecord`."""
