"""Announced calls: a telephone rings, a text is spoken, a key is pressed."""
