"""A pytest plugin that remembers which clauses have a test that passed.

`make clauses` reads what it writes. It must never make a clause look tested that was not: a
clause counts only through a test that ran and passed.
"""
