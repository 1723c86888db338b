"""One SMS carrier with a token for its hooks."""

import pytest

from meldkamer.notify import inbox
from meldkamer.notify.models import WayOut

TOKEN = "a-long-random-token-of-the-gateway"
REPLY, RECEIPT = f"/hooks/{TOKEN}/sms/", f"/hooks/{TOKEN}/receipt/"


@pytest.fixture
def gateway(db: None) -> WayOut:
    return WayOut.objects.create(
        channel="sms", kind="sms_http", name="Kannel", hook_mac=inbox.hook_mac(TOKEN)
    )
