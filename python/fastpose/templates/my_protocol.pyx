# cython: language_level=3
"""A protocol in Cython: it runs in the loop, once a frame, without Python's lock; its time is added to every reaction.

In the config:  protocol: {type: cython, path: my_protocol.pyx}
To compile it:  fastpose compile my_protocol.pyx
To try it without a rig:

    from fastpose.testing import try_protocol
    tried = try_protocol("config.yaml", seconds=30)
    tried.assert_pulses("reward", at_least=1)
"""
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc

# Also there: fp_on, fp_off, and for outputs with values fp_level and fp_ramp.
from fastpose.policy cimport fp_commands, fp_policy, fp_pose, fp_pulse, fp_train, policy_capsule

# What the protocol remembers between frames: plain C, no Python object.
cdef struct State:
    int rule, output        # indices in the config's order
    int64_t pulse_ns
    int pulses              # of a reward
    double rate_hz          # of its pulses
    int64_t rest_ns         # no second reward before
    bint was_true
    int64_t last_ns         # exposure of the last reward's frame; 0: none yet
    int rewards


# Called before the first frame of a session.
cdef void reset(void* memory) noexcept nogil:
    cdef State* state = <State*>memory
    state.was_true = False
    state.last_ns = 0
    state.rewards = 0


# Called once a frame, in the loop: no allocation, no Python object, no waiting.
cdef void step(void* memory, const fp_pose* pose, fp_commands* commands) noexcept nogil:
    cdef State* state = <State*>memory
    cdef bint is_true = pose.rules[state.rule]
    cdef bint rested = state.last_ns == 0 or pose.exposure_start_ns - state.last_ns >= state.rest_ns
    if is_true and not state.was_true and rested:
        if state.pulses > 1:
            fp_train(commands, state.output, state.pulse_ns, state.rate_hz, state.pulses)
        else:
            fp_pulse(commands, state.output, state.pulse_ns)
        state.last_ns = pose.exposure_start_ns
        state.rewards += 1
    commands.state = state.rewards      # every change of it is a row of events.csv
    state.was_true = is_true


# Called once, in set-up, with the names of the config in their order.
def policy(
    rules, outputs, bodyparts, *, rule="in_corner", output="reward", pulse_ms=50.0, pulses=1, rate_hz=10.0, rest_s=2.0
):
    if rule not in rules or output not in outputs:
        raise ValueError(f"it needs rule {rule!r} (of {rules}) and output {output!r} (of {outputs})")
    cdef State* state = <State*>calloc(1, sizeof(State))
    if state == NULL:
        raise MemoryError("no memory for a policy")
    state.rule = rules.index(rule)
    state.output = outputs.index(output)
    state.pulse_ns = <int64_t>(pulse_ms * 1e6)
    state.pulses = pulses
    state.rate_hz = rate_hz
    state.rest_ns = <int64_t>(rest_s * 1e9)
    return policy_capsule(step, reset, state)
