"""What the office's pages show, as plain values: reads and words, no decisions."""
