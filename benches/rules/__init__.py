"""What rules, protocol and interlock cost a frame."""
