"""What operators and supervisors do, one function per use case, one transaction each.

The console decides nothing: each command asks the rules, and raises `Refused` with the clause
when they say no. The use cases stand in `taking`, `calling` and `closing`; this is the one door for
what an operator does from a desk. What others do has its own: `incoming`, `customer_calls`,
`interrupting`, `patrols`, `testing`, `outages`.
"""

from __future__ import annotations

from meldkamer.incidents.operating.calling import (
    call_result,
    check_code,
    dial,
    judge_images,
    request_service,
    send_patrol,
)
from meldkamer.incidents.operating.closing import (
    call_supervisor,
    close,
    close_as_proposed,
    note,
    override_police,
    see_notice,
    see_signals,
)
from meldkamer.incidents.operating.taking import (
    hold,
    in_order,
    release,
    stay,
    take,
    take_next,
    take_over,
)

__all__ = [
    "call_result",
    "call_supervisor",
    "check_code",
    "close",
    "close_as_proposed",
    "dial",
    "hold",
    "in_order",
    "judge_images",
    "note",
    "override_police",
    "release",
    "request_service",
    "see_notice",
    "see_signals",
    "send_patrol",
    "stay",
    "take",
    "take_next",
    "take_over",
]
