/* The C interface of rules from other packages: a condition that the loop asks once a frame.
 *
 * fp_evaluate is called on the loop's thread: its time is added to every reaction. It must not block,
 * allocate, throw, or touch Python. Times are host ns, of the exposure.
 */
#ifndef FASTPOSE_RULE_PLUGIN_H
#define FASTPOSE_RULE_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FP_RULE_ABI 1
#define FP_RULE_CAPSULE "fastpose.rule"

/* Valid during the call only. */
typedef struct fp_rule_input {
    const float*
        keypoints; /* (individuals, bodyparts, 3) x, y in full-frame sensor px, likelihood; NaN: missing */
    int individuals;
    int bodyparts;
    int64_t exposure_start_ns;
    float min_likelihood; /* of the config; keypoints below are to count as missing */
    int active;           /* the rule's present value, for hysteresis */
} fp_rule_input;

/* FP_MISSING: it cannot be said; the config's `missing` settles it. */
enum { FP_NO = 0, FP_YES = 1, FP_MISSING = 2 };

typedef int (*fp_evaluate)(void* state, const fp_rule_input* input);
typedef void (*fp_rule_reset)(void* state);

/* What a PyCapsule named FP_RULE_CAPSULE points to; it lives as long as the capsule. */
typedef struct fp_rule {
    int32_t abi; /* FP_RULE_ABI of the header it was compiled with */
    fp_evaluate evaluate;
    fp_rule_reset reset; /* may be null; called before the first frame of a session */
    void* state;         /* handed to evaluate and reset as it is */
} fp_rule;

#ifdef __cplusplus
}
#endif

#endif
