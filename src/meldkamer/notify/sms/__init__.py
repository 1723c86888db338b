"""Texts: over SMPP, over an HTTP gateway, over a GSM modem."""
