"""Incidents: queue, owner, due time, steps, closing."""
