// The order in which the types of trials come.
#pragma once
#include <cstdint>
#include <vector>

#include "protocol/random.h"

namespace fastpose {

enum class TrialOrder : std::int32_t {
    sequence = 0,  // as the counts stand: all of the first type, then all of the second
    random = 1,    // all blocks are one, shuffled as a whole
    blocked = 2,   // shuffled in each block: each holds every type as often as its count says
};

struct TrialListSpec {
    std::vector<std::int32_t> counts{};  // of each type in a block; empty: there are no trials
    std::int32_t blocks = 1;
    TrialOrder order = TrialOrder::blocked;
};

inline constexpr std::int64_t most_trials = 1'000'000;

// Throws ConfigError.
void check(const TrialListSpec& spec);

// The types in their order; `types` has room for the trials already where this is not the first call.
void draw_trials(const TrialListSpec& spec, Random& random, std::vector<std::int32_t>& types);

}  // namespace fastpose
