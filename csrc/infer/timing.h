// How long a network takes on its own, over and over.
#pragma once
#include <cstdint>
#include <vector>

#include "infer/backend.h"

namespace fastpose {

// Durations of `runs` inferences one after the other, ns, on whatever input() holds.
// Throws DeviceError where one fails. Allocates before the first.
[[nodiscard]] std::vector<std::int64_t> time_runs(Backend& backend, int runs);

}  // namespace fastpose
