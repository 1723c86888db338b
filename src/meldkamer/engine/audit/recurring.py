"""What recurs for ever on the agenda: who puts it there and who checks that it stands there."""

PURGE, SEAL, AUDIT = "journal.purge", "journal.seal", "house.audit"
#: (kind, subject) of rows that put themselves back each time
RECURRING = ((PURGE, "journal"), (SEAL, "journal"), (AUDIT, "house"))
