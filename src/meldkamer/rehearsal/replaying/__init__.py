"""The recorded past, played again under other terms: what would have gone differently."""
