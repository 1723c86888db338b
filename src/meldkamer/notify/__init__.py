"""Messages: the outbox, the carriers that take them out of the house, and what comes back.

`commands` puts a message into the outbox, `templates` has its words. Each channel is a folder, each
kind of carrier a module in it that implements `carrier.Carrier`; `kinds` lists them:

- `sms`: SMPP, an HTTP gateway, a GSM modem · `voice`: announced calls over SIP
- `mail`: SMTP, and what comes back of it · `post`: letters and their print queue
- `push`: the customer's app and the panel maker's cloud · `authority`: CAP 1.2 to the services
- `desk`: the exchange of the desk's telephones · `patrol`: units and their page, without a carrier

`line` drives a carrier, `outbox` notes what became of a message, `ears` and `inbox` store what
comes back. `ways` reads the carriers there are, `way_commands` enters them, `trying_out` tests one,
`health` says how they are. What stays in the house: `sandbox`, `going_live`. For all channels:
`web` (HTTP), `letterhead` (who writes), `channel_words` and `fault_words` (for screens). `queries`:
which patrols are free.

Never: decide what an answer means or touch an incident; `incidents` does that.
"""
