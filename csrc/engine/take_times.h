// When the loop's way of waiting has each frame of a ring, for benches.
#pragma once
#include <cstdint>
#include <vector>

#include "frame/ring.h"

namespace fastpose {

// Takes that many frames as the loop does, awake for each for spin_ns at most, and lets go of them; returns
// when it had each. Ten seconds without one ends it early. Blocks.
[[nodiscard]] std::vector<std::int64_t> take_times(Ring& ring, int frames, std::int64_t spin_ns);

}  // namespace fastpose
