"""How steady the loop is: each measure against jitter on and off beside loads; memory; first pose."""
