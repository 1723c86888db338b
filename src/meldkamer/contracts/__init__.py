"""Terms bound to a site, service state, quotas."""
