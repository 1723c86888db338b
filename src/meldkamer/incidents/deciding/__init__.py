"""Decisions into rows.

`judging` takes signals that wait (`pending`), reads how their sites stand (`situation`, `facts`),
asks the rules and has what they say carried out (`carry_out`), for many sites at once
(`gathering`). `due` is what time does. `floods` and `outages` are about more than one signal.
"""
