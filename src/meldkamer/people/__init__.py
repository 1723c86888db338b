"""Staff, their roles and shifts."""
