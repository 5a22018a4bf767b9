"""Other tools beside fastpose: the same weights and frames, in one run, taking turns."""
