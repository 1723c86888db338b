"""What other programs call: the web hooks of carriers, under /hooks/."""
