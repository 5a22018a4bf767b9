"""Micro benches: one stage at a time beside the same written with OpenCV and NumPy."""
