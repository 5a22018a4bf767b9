// What a protocol asks of an output line. Protocols make commands, the interlock carries them out.
#pragma once
#include <cstdint>

namespace fastpose {

enum class Action : std::int32_t {
    off = 0,    // end now
    on = 1,     // high until told otherwise (the interlock's max_on_ms still ends it)
    pulse = 2,  // high now, low after duration_ns
};

struct OutputCommand {
    std::int32_t output = 0;  // index in the config's order of outputs
    Action action = Action::off;
    std::int64_t duration_ns = 0;  // pulse only

    friend bool operator==(const OutputCommand&, const OutputCommand&) = default;
};

}  // namespace fastpose
