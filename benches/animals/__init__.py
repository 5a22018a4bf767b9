"""Several animals: how well identity holds, and what assembly, identity and rules cost."""
