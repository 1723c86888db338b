"""Pages for those outside the centre: the customer's app, the patrol's page."""
