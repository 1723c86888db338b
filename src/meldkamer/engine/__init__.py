"""What happens every cycle: judge signals, act on due rows, consume replies, hand over messages."""
