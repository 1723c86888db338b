"""The auditor: does the living house keep its own rules? Asked every 30 seconds, said at once.

Why: a rule that is broken by a fault of ours, of the machine or of somebody at the tables shows
nowhere by itself. Never: mend anything, or cost the house more than a moment; each look is bounded
in rows and in time. Invariant: red as soon as one check does not hold or could not be looked at,
and quiet again by itself when all hold.
"""
