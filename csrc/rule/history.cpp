// Checks of windows.
#include "rule/history.h"

#include <cmath>

#include "base/check.h"

namespace fastpose {

std::int64_t checked_window_ns(double window_ms) {
    require_above("window_ms", window_ms, 0);
    require_between("window_ms", window_ms, 0, 60'000);
    return std::llround(window_ms * 1e6);
}

}  // namespace fastpose
