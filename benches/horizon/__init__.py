"""The automatic horizon while the network's latency changes."""
