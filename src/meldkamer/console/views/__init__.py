"""What a browser may ask. Views check who asks, call a command or a query, and render."""
