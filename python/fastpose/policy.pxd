# Declarations for protocols compiled with Cython: `from fastpose.policy cimport ...`; see policy.h for the contract.
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free


cdef extern from "protocol/policy.h" nogil:
    enum:
        FP_POLICY_ABI
        FP_MAX_COMMANDS

    ctypedef struct fp_pose:
        const float* keypoints  # (individuals, bodyparts, 3) x, y in full-frame sensor px, likelihood; NaN: missing
        int individuals
        int bodyparts
        int64_t frame_id
        int64_t exposure_start_ns
        int64_t now_ns
        const uint8_t* rules
        int n_rules

    ctypedef struct fp_commands:
        int count
        int32_t state

    int fp_off(fp_commands* commands, int32_t output) noexcept
    int fp_on(fp_commands* commands, int32_t output) noexcept
    int fp_pulse(fp_commands* commands, int32_t output, int64_t duration_ns) noexcept
    int fp_train(fp_commands* commands, int32_t output, int64_t pulse_ns, double rate_hz, int32_t count) noexcept
    int fp_level(fp_commands* commands, int32_t output, float value) noexcept  # in the output's own unit; 0 ends it
    int fp_ramp(fp_commands* commands, int32_t output, float start, float to, int64_t duration_ns) noexcept

    ctypedef void (*fp_step)(void* state, const fp_pose* pose, fp_commands* commands) noexcept
    ctypedef void (*fp_reset)(void* state) noexcept

    ctypedef struct fp_policy:
        int32_t abi
        fp_step step
        fp_reset reset
        void* state


cdef inline void free_policy(object capsule) noexcept:
    cdef fp_policy* policy = <fp_policy*>PyCapsule_GetPointer(capsule, "fastpose.policy")
    free(policy.state)
    free(policy)


# The capsule that the engine takes. `state` is null or comes from malloc or calloc; the capsule frees it.
cdef inline object policy_capsule(fp_step step, fp_reset reset, void* state):
    cdef fp_policy* policy = <fp_policy*>calloc(1, sizeof(fp_policy))
    if policy == NULL:
        free(state)
        raise MemoryError("no memory for a policy")
    policy.abi = FP_POLICY_ABI
    policy.step = step
    policy.reset = reset
    policy.state = state
    return PyCapsule_New(policy, "fastpose.policy", free_policy)
