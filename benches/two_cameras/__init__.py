"""Two cameras, one analysed: what recording both costs the loop, and whether frames are lost silently."""
