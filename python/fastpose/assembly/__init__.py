"""Turns a checked config into the parts of the engine."""
