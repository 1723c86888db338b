"""What a browser may ask: who asks is checked, a command or query is called, a page is shown."""
