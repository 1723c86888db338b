"""meldkamer: an open-source alarm receiving centre.

The packages stand on floors, and one imports only from floors below it:
docs/explanation/architecture.md.
"""

__version__ = "0.1.0"
