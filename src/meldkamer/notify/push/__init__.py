"""Push: messages to the customer's app, over web push or over the panel maker's cloud (S8.3)."""
