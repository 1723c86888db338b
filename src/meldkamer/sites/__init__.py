"""Customers, sites, transmitters, zones, contacts, instruction sheets, identification."""
