"""Statements: what a payment provider or a bank says arrived, read from its own files.

A format recognises the header of a file and yields typed rows (`rows`). Proofs, matching and
findings are shared, and know no provider.
"""
