"""Staff, their roles and presence, identification; what every page asks of a browser."""
