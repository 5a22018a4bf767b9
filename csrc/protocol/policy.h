/* The C interface of compiled user policies: what a policy is given once a frame and what it may ask for.
 *
 * A policy is a function fp_step that the loop calls on its own thread, once a frame: its time is added to
 * every reaction. It must not block, allocate, throw, or touch Python. Times are monotonic host ns.
 */
#ifndef FASTPOSE_PROTOCOL_POLICY_H
#define FASTPOSE_PROTOCOL_POLICY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FP_POLICY_ABI 1
#define FP_POLICY_CAPSULE "fastpose.policy"
#define FP_MAX_COMMANDS 16

/* Valid during the call only. */
typedef struct fp_pose {
    const float*
        keypoints; /* (individuals, bodyparts, 3) x, y in full-frame sensor px, likelihood; NaN: missing */
    int individuals;
    int bodyparts;
    int64_t frame_id;
    int64_t exposure_start_ns;
    int64_t now_ns;
    const uint8_t* rules; /* 0 or 1 per rule, in the config's order */
    int n_rules;
} fp_pose;

enum { FP_OFF = 0, FP_ON = 1, FP_PULSE = 2 };

typedef struct fp_command {
    int32_t output; /* index in the config's order of outputs */
    int32_t action;
    int64_t duration_ns; /* FP_PULSE only */
} fp_command;

typedef struct fp_commands {
    fp_command items[FP_MAX_COMMANDS];
    int count;
    int32_t state; /* the policy's state, written into events.csv when it changes; keeps its value between
                      frames */
} fp_commands;

/* Each returns 1, or 0 if this frame's room (FP_MAX_COMMANDS) is used up. */
static inline int fp_add(fp_commands* commands, int32_t output, int32_t action, int64_t duration_ns) {
    if (commands->count >= FP_MAX_COMMANDS) return 0;
    fp_command* command = &commands->items[commands->count++];
    command->output = output;
    command->action = action;
    command->duration_ns = duration_ns;
    return 1;
}
static inline int fp_off(fp_commands* commands, int32_t output) {
    return fp_add(commands, output, FP_OFF, 0);
}
static inline int fp_on(fp_commands* commands, int32_t output) { return fp_add(commands, output, FP_ON, 0); }
static inline int fp_pulse(fp_commands* commands, int32_t output, int64_t duration_ns) {
    return fp_add(commands, output, FP_PULSE, duration_ns);
}

typedef void (*fp_step)(void* state, const fp_pose* pose, fp_commands* commands);
typedef void (*fp_reset)(void* state);

/* What a PyCapsule named FP_POLICY_CAPSULE points to; it lives as long as the capsule. */
typedef struct fp_policy {
    int32_t abi; /* FP_POLICY_ABI of the header it was compiled with */
    fp_step step;
    fp_reset reset; /* may be null; called before the first frame of a session */
    void* state;    /* handed to step and reset as it is */
} fp_policy;

#ifdef __cplusplus
}
#endif

#endif
