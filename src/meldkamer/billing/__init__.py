"""Handlings counted, items billed."""
