"""The telephone: out (`desk_calls`) and in (`answering`, `incoming`).

What police, fire brigade and medical service ask is on the `service_sheet`; `handing_over` is what
they were told and took.
"""
