"""From exposure to output by a clock that is not this computer's: ``fastpose bench loopback``."""
