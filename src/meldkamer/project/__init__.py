"""Settings, addresses, the command line, the processes: the only place that wires."""
