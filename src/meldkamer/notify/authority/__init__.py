"""To police, fire brigade and medical service by wire: messages of CAP 1.2 (B1)."""
