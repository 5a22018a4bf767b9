// Blocks of types, shuffled by themselves or together.
#include "protocol/trial_list.h"

#include <numeric>
#include <span>

#include "base/check.h"

namespace fastpose {

void check(const TrialListSpec& spec) {
    if (spec.counts.empty()) return;
    require_between("protocol.trials: the number of blocks", spec.blocks, 1, most_trials);
    for (const std::int32_t count : spec.counts)
        require_between("protocol.trials: the count of a type", count, 1, most_trials);
    const std::int64_t block = std::accumulate(spec.counts.begin(), spec.counts.end(), std::int64_t{0});
    require_between("protocol.trials: the number of trials", static_cast<double>(block) * spec.blocks, 1,
                    most_trials);
}

void draw_trials(const TrialListSpec& spec, Random& random, std::vector<std::int32_t>& types) {
    types.clear();
    for (std::int32_t block = 0; block < (spec.counts.empty() ? 0 : spec.blocks); ++block) {
        const std::size_t begin = types.size();
        for (std::size_t type = 0; type < spec.counts.size(); ++type)
            types.insert(types.end(), static_cast<std::size_t>(spec.counts[type]),
                         static_cast<std::int32_t>(type));
        if (spec.order == TrialOrder::blocked) shuffle(std::span(types).subspan(begin), random);
    }
    if (spec.order == TrialOrder::random) shuffle(std::span(types), random);
}

}  // namespace fastpose
