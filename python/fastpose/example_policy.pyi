# Types of the compiled example protocol (src/example_policy.pyx).
from collections.abc import Sequence

from typing_extensions import CapsuleType

def policy(
    rules: Sequence[str],
    outputs: Sequence[str],
    bodyparts: Sequence[str],
    *,
    min_turn_deg_s: float = 90.0,
    pulse_ms: float = 10.0,
    min_likelihood: float = 0.6,
) -> CapsuleType: ...
