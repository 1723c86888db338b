"""Stories, scripted people, the simulator and its checkers. Nothing imports it."""
