"""The rules: pure functions of (facts, terms, now). No sockets, no database, no clock."""
