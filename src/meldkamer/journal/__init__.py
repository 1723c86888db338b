"""All that happened, append-only."""
