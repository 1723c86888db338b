"""Incidents: from a signal's verdict to its closing; each use case is one transaction.

- `deciding`: decisions into rows: what the rules see, what they decide, what time does
- `operating`: an operator's work; `commands` is the list of it
- `telephone`: calls out and in, and what police, fire brigade and medical service are told
- `messages`: what became of one, what came back, what goes another way
- `service`: a customer's service: tests, interruptions, needless incidents, calls to him
- for the supervisor: `notices` · reads for screens: `queries`, `board_queries`, `outage_queries`,
  `house_checks` · `forgetting`

Every command locks the site first (`locking`) and asks the rules; it refuses with a clause
(`faults`).
"""
