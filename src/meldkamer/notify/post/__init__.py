"""Post: letters on paper, made as PDF and put into a print queue."""
