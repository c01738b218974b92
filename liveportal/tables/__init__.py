"""Tables of outside files: bytes, lines, columns by name, numbers, dates and time zones.

Statements and feeds read the files of others with it; it knows neither of them.
"""
