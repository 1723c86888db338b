"""What a browser may ask of the desk. Views check who asks, call a command or a query, and render."""
