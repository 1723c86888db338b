"""Incidents: from a signal's verdict to its closing; each use case is one transaction.

- decisions into rows: `judging` and `pending` (signals), `situation` and `facts` (what the rules
  see), `carry_out` and `gathering` (what they decide), `due` (what time does)
- an operator's work: `commands` is the list of it; `taking`, `hands`, `calling`, `closing`,
  `dispatching` and `patrols`
- the telephone: `desk_calls` (out), `answering` and `incoming` (in), `service_sheet` and
  `handing_over` (police, fire, medical)
- messages: `sent` (what became of one), `receipts`, `texting` and `announced` (what came back),
  `another_way`, `carrier_faults`, `patrol_replies`, `practising`
- of a customer's site: `testing`, `interrupting`, `needless`, `customer_calls`, `papers`
- of many sites: `floods`, `outages` · for the supervisor: `notices`, `supervisor_calls`
- reads for screens: `queries`, `board_queries`, `outage_queries`, `house_checks` · `forgetting`

Every command locks the site first (`locking`) and asks the rules; it refuses with a clause
(`faults`).
"""
