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

#define FP_POLICY_ABI 2 /* 1: knew off, on and pulse only */
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

enum { FP_OFF = 0, FP_ON = 1, FP_PULSE = 2, FP_TRAIN = 3, FP_LEVEL = 4, FP_RAMP = 5 };

typedef struct fp_command {
    int32_t output; /* index in the config's order of outputs */
    int32_t action;
    int64_t duration_ns; /* FP_PULSE, FP_TRAIN: of one pulse; FP_RAMP: of the way */
    int64_t period_ns;   /* FP_TRAIN: from rise to rise */
    int32_t count;       /* FP_TRAIN */
    float value;         /* FP_LEVEL; FP_RAMP: at its start. In the output's own unit */
    float to;            /* FP_RAMP: at its end */
} fp_command;

typedef struct fp_commands {
    fp_command items[FP_MAX_COMMANDS];
    int count;
    int32_t state; /* the policy's state, written into events.csv when it changes; keeps its value between
                      frames */
} fp_commands;

/* The next free command, or null if this frame's room (FP_MAX_COMMANDS) is used up. */
static inline fp_command* fp_next(fp_commands* commands, int32_t output, int32_t action) {
    fp_command* command = 0;
    if (commands->count >= FP_MAX_COMMANDS) return command;
    command = &commands->items[commands->count++];
    command->output = output;
    command->action = action;
    command->duration_ns = command->period_ns = 0;
    command->count = 0;
    command->value = command->to = 0;
    return command;
}

/* What each asks for is what the config's action of that name asks for. Each returns 1, or 0 if this frame's
 * room is used up. What an output cannot do (a level where there is only high and low, a train without gaps,
 * a negative or too high value, a time of 0) the interlock refuses, and events.csv says so. */
static inline int fp_add(fp_commands* commands, int32_t output, int32_t action, int64_t duration_ns) {
    fp_command* command = fp_next(commands, output, action);
    if (!command) return 0;
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
/* `count` pulses, rate_hz of them a second, the first now. */
static inline int fp_train(fp_commands* commands, int32_t output, int64_t pulse_ns, double rate_hz,
                           int32_t count) {
    fp_command* command = fp_next(commands, output, FP_TRAIN);
    if (!command) return 0;
    command->duration_ns = pulse_ns;
    command->period_ns = rate_hz > 1e-9 ? (int64_t)(1e9 / rate_hz + 0.5) : 0;
    command->count = count;
    return 1;
}
/* An analogue value until told otherwise; 0 ends it. */
static inline int fp_level(fp_commands* commands, int32_t output, float value) {
    fp_command* command = fp_next(commands, output, FP_LEVEL);
    if (!command) return 0;
    command->value = value;
    return 1;
}
/* An analogue value that goes from `start` to `to` in duration_ns, then stays. */
static inline int fp_ramp(fp_commands* commands, int32_t output, float start, float to, int64_t duration_ns) {
    fp_command* command = fp_next(commands, output, FP_RAMP);
    if (!command) return 0;
    command->duration_ns = duration_ns;
    command->value = start;
    command->to = to;
    return 1;
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
