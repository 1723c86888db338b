"""What other programs call: the web hooks of carriers, under /hooks/.

`door` says whose call it is and answers after COMMIT, `fields` reads what was brought; `sms`, `app`
and `desk` are the hooks of their channels.
"""
