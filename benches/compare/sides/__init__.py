"""What runs in the environments of the tools: a pipe, and a file for each tool."""
