"""Networks of other tools as torch modules, with the parameter names of those tools; needs torch."""
