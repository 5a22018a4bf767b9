"""What deciding costs in the loop: the state machines of the examples, and one of twenty states."""
