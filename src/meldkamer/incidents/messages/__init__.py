"""Messages about incidents: what became of one (`sent`) and what came back.

`receipts`, replies (`texting`), keys pressed at calls (`announced`), a patrol's entries
(`patrol_replies`). What does not reach its reader goes `another_way`; `carrier_faults` are told to
an operator, `supervisor_calls` to the supervisor. `papers` go along with a mail; `practising` is
what somebody does at the phones of the sandbox.
"""
