"""A customer's service while it runs: `testing`, `interrupting`, `needless` incidents.

`customer_calls` are made before a service is suspended.
"""
