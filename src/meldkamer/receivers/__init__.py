"""Listening processes, one module per transport: read, frame, store, acknowledge. No Django."""
