"""Whether a long session grows: memory, file handles and threads over a million frames."""
