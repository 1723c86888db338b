"""The sandbox of the demo and of training: people who answer by script, phones, mailboxes.

Nothing here does anything unless MELDKAMER_DEMO is on; every page of it says that it is practice.
"""
