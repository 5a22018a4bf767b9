"""How soon an output acts, and how well a pulse keeps its width."""
