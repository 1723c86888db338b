"""What each provider promises, as versioned and validated files."""
