# cython: language_level=3
"""An example of a compiled protocol: pulses an output whenever the animal turns its head fast.

Copy it as a start for your own; the config is ``protocol: {type: cython, module: fastpose.example_policy}``.
"""
from libc.math cimport M_PI, atan2f, fabsf, isnan
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc

from fastpose.policy cimport fp_commands, fp_policy, fp_pose, fp_pulse, policy_capsule

cdef struct State:
    int tail, head          # bodyparts: heading is the direction from tail to head
    int output
    float min_likelihood
    float min_turn_rad_s
    int64_t pulse_ns
    float heading_rad       # of the last frame in which both were found
    int64_t heading_ns      # its exposure_start; 0: none yet


cdef void reset(void* memory) noexcept nogil:
    (<State*>memory).heading_ns = 0


cdef void step(void* memory, const fp_pose* pose, fp_commands* commands) noexcept nogil:
    cdef State* state = <State*>memory
    cdef const float* tail = pose.keypoints + 3 * state.tail
    cdef const float* head = pose.keypoints + 3 * state.head
    if isnan(tail[0]) or isnan(head[0]) or min(tail[2], head[2]) < state.min_likelihood:
        return
    cdef float heading_rad = atan2f(head[1] - tail[1], head[0] - tail[0])
    cdef float turn_rad = fabsf(heading_rad - state.heading_rad)
    turn_rad = min(turn_rad, <float>(2 * M_PI) - turn_rad)
    cdef float passed_s = (pose.exposure_start_ns - state.heading_ns) * 1e-9
    cdef bint known = state.heading_ns != 0
    state.heading_rad = heading_rad
    state.heading_ns = pose.exposure_start_ns
    commands.state = known and turn_rad > state.min_turn_rad_s * passed_s
    if commands.state:
        fp_pulse(commands, state.output, state.pulse_ns)


def policy(rules, outputs, bodyparts, *, min_turn_deg_s=90.0, pulse_ms=10.0, min_likelihood=0.6):
    """The policy as a capsule for the engine.

    Parameters
    ----------
    rules, outputs, bodyparts : list of str
        Names in the config's order. The heading goes from the last bodypart to the first; the first output is pulsed.
    min_turn_deg_s : float
        Pulses above this angular speed.
    pulse_ms : float
        Length of the pulse.
    min_likelihood : float
        Frames in which one of the two keypoints is less likely are passed over.
    """
    if not outputs or len(bodyparts) < 2:
        raise ValueError(f"{len(outputs)} outputs, {len(bodyparts)} bodyparts; this policy needs 1 and 2 at least")
    cdef State* state = <State*>calloc(1, sizeof(State))
    if state == NULL:
        raise MemoryError("no memory for a policy")
    state.tail = len(bodyparts) - 1
    state.min_turn_rad_s = min_turn_deg_s * M_PI / 180
    state.pulse_ns = <int64_t>(pulse_ms * 1e6)
    state.min_likelihood = min_likelihood
    return policy_capsule(step, reset, state)
