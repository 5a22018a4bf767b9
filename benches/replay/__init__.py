"""A long session replayed: bit-identical, and how long it takes."""
