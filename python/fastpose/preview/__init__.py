"""Looks at one camera before a session: numbers in the terminal and a still image, nothing recorded."""
