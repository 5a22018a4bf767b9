// The same clock and the same backend as the loop's.
#include "infer/timing.h"

#include <algorithm>
#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace fastpose {

std::vector<std::int64_t> time_runs(Backend& backend, int runs) {
    std::vector<std::int64_t> durations_ns(static_cast<std::size_t>(std::max(0, runs)));
    for (std::int64_t& duration_ns : durations_ns) {
        const std::int64_t start_ns = now_ns();
        if (!backend.run()) throw DeviceError(std::string("the network failed: ") + backend.last_error());
        duration_ns = now_ns() - start_ns;
    }
    return durations_ns;
}

}  // namespace fastpose
