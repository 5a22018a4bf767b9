// When a loop that is awake has each frame of a ring, for benches.
#pragma once
#include <cstdint>
#include <vector>

#include "frame/ring.h"

namespace fastpose {

// Takes that many frames as the loop does when it is awake for them, and lets go of them; returns when it had
// each. Ten seconds without one end it early. Blocks, and keeps a core busy.
[[nodiscard]] std::vector<std::int64_t> take_times(Ring& ring, int frames);

}  // namespace fastpose
