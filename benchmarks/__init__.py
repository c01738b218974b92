"""Measurements, apart from the tests: a slow machine is no failure."""
