"""What a panel maker's cloud tells of a message of ours: shown, failed, acknowledged (S8.3).

Signed with the key that both have, over the very bytes: knowing the address is not enough. An
acknowledgement is a receipt and stands no alarm down (S19.1).
"""

from __future__ import annotations

from meldkamer.api.door import Call, hook
from meldkamer.api.fields import BadInput
from meldkamer.notify import inbox, ways
from meldkamer.notify.push.app_cloud import KEY, read_receipt


@hook("app")
def receipt(call: Call) -> str:
    """Store what became of one message; told twice it is stored once."""
    key = ways.secrets_of(call.carrier).get(KEY, "")
    if call.carrier.kind != "app_cloud" or not key:
        raise BadInput("carrier", "is no cloud with a key", "the hook of a panel maker's cloud")
    try:
        ref, state, detail = read_receipt(
            call.request.body, call.request.headers, key, call.now.timestamp()
        )
    except ValueError as fault:
        raise BadInput("receipt", str(fault), "a signed receipt as the manual says") from None
    inbox.store_receipt(call.carrier.pk, ref, state, call.now, detail=detail)
    return ""
