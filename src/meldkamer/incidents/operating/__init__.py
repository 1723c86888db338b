"""An operator's work, one module a kind of step; `incidents.commands` is the list of it.

`taking` an incident, whose `hands` it is in, `calling` people and services, `dispatching` a patrol
and what `patrols` report by radio, `closing`.
"""
