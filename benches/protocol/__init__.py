"""What a protocol adds to each frame: native, and compiled from Cython, beside Python that computes."""
