"""A real mouse at 1,000 Hz on the cores of this machine."""
