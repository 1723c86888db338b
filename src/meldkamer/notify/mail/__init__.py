"""E-mail: out over SMTP, and what comes back of it."""
