"""The desk's own telephone: calls that the exchange places for an operator, and calls coming in."""
