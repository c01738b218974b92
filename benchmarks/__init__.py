"""Benchmarks, separate from the tests: a slow machine is not a failure."""
