"""The results of a session, all made from its append-only log."""
