"""All that must happen, one row each with its due time."""
