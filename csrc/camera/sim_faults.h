// Which frames of the simulated camera go wrong, as a pure function of seed and frame.
#pragma once
#include <cstdint>

#include "camera/sim_spec.h"

namespace fastpose {

struct SimFate {
    bool dropped = false, late = false, torn = false, failed = false;
    int tear_row = 0;  // rows from here on are those of the frame before; height if not torn
};

[[nodiscard]] SimFate sim_fate(const SimSpec& spec, std::int64_t index) noexcept;

}  // namespace fastpose
