"""The patrol as a channel: units, what they are offered, and what they tell from their page."""
