# cython: language_level=3
"""A protocol in Cython: a pulse of light whenever the animal turns its head fast, with a rest after each.

    fastpose compile examples/turn_protocol.pyx
"""
from libc.math cimport M_PI, atan2, fabs, isnan
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc

from fastpose.policy cimport fp_commands, fp_policy, fp_pose, fp_pulse, policy_capsule

cdef struct State:
    int back, front             # body parts: the heading goes from back to front
    int light                   # index of the output
    double fast_rad_s
    int64_t pulse_ns, rest_ns
    double heading_rad          # of the last frame in which both were found
    int64_t heading_ns          # its exposure; 0: none yet
    int64_t pulsed_ns           # exposure of the last pulse's frame; 0: none yet
    int pulses


cdef void reset(void* memory) noexcept nogil:
    cdef State* state = <State*>memory
    state.heading_ns = state.pulsed_ns = 0
    state.pulses = 0


cdef inline bint found(const float* keypoint) noexcept nogil:
    return not isnan(keypoint[0]) and keypoint[2] >= 0.6


cdef double turned_rad(double one, double other) noexcept nogil:
    cdef double between = fabs(one - other)
    return min(between, 2 * M_PI - between)


cdef void step(void* memory, const fp_pose* pose, fp_commands* commands) noexcept nogil:
    cdef State* state = <State*>memory
    cdef const float* back = pose.keypoints + 3 * state.back
    cdef const float* front = pose.keypoints + 3 * state.front
    if not (found(back) and found(front)):
        return
    cdef double heading_rad = atan2(front[1] - back[1], front[0] - back[0])
    cdef double passed_s = (pose.exposure_start_ns - state.heading_ns) * 1e-9
    cdef bint turns = (state.heading_ns != 0
                       and turned_rad(heading_rad, state.heading_rad) > state.fast_rad_s * passed_s)
    cdef bint rested = state.pulsed_ns == 0 or pose.exposure_start_ns - state.pulsed_ns >= state.rest_ns
    state.heading_rad = heading_rad
    state.heading_ns = pose.exposure_start_ns
    if turns and rested:
        fp_pulse(commands, state.light, state.pulse_ns)
        state.pulsed_ns = pose.exposure_start_ns
        state.pulses += 1
    commands.state = state.pulses


def policy(rules, outputs, bodyparts, *, back="center", front="snout", fast_deg_s=120.0, pulse_ms=20.0, rest_s=0.5):
    """The policy as a capsule for the engine; names are those of the config."""
    if back not in bodyparts or front not in bodyparts or not outputs:
        raise ValueError(f"it needs body parts {back!r} and {front!r} (of {bodyparts}) and an output (of {outputs})")
    cdef State* state = <State*>calloc(1, sizeof(State))
    if state == NULL:
        raise MemoryError("no memory for a policy")
    state.back, state.front = bodyparts.index(back), bodyparts.index(front)
    state.fast_rad_s = fast_deg_s * M_PI / 180
    state.pulse_ns = <int64_t>(pulse_ms * 1e6)
    state.rest_ns = <int64_t>(rest_s * 1e9)
    return policy_capsule(step, reset, state)
