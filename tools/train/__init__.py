"""Training of the small pose networks that the project ships; a tool, no part of the installed package."""
