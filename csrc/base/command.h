// What a protocol asks of an output line. Protocols make commands, the interlock carries them out.
#pragma once
#include <cstdint>

namespace fastpose {

enum class Action : std::int32_t {
    off = 0,    // end now
    on = 1,     // high until told otherwise (the interlock's max_on_ms still ends it)
    pulse = 2,  // high now, low after duration_ns
    train = 3,  // `count` pulses of duration_ns, one every period_ns, the first now
    level = 4,  // an analogue value until told otherwise; 0 ends it
    ramp = 5,   // an analogue value that goes from `value` to `to` in duration_ns, then stays
};

struct OutputCommand {
    std::int32_t output = 0;  // index in the config's order of outputs
    Action action = Action::off;
    std::int64_t duration_ns = 0;  // pulse, train: of one pulse; ramp: of the way
    std::int64_t period_ns = 0;    // train: from rise to rise
    std::int32_t count = 0;        // train
    float value = 0;               // level; ramp: at its start. In the line's own unit
    float to = 0;                  // ramp: at its end

    friend bool operator==(const OutputCommand&, const OutputCommand&) = default;
};

}  // namespace fastpose
