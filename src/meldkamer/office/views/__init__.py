"""What a browser may ask of the office: who asks is checked, a command or query is called, a page shown."""
