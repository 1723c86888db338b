"""The operators' and supervisors' desk: shows state, sends commands, decides nothing."""
