"""Bytes to signals and back, per protocol, with the code tables as data."""
