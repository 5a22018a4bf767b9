"""Turns what other tools export into a model package."""
