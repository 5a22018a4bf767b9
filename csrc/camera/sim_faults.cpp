// Faults by hash.
#include "camera/sim_faults.h"

#include "camera/sim_hash.h"

namespace fastpose {

SimFate sim_fate(const SimSpec& spec, std::int64_t index) noexcept {
    using sim::Stream;
    const auto key = static_cast<std::uint64_t>(index);
    const auto strikes = [&](Stream stream, double probability) {
        return sim::uniform(spec.seed, stream, key) < probability;
    };
    SimFate fate{.dropped = strikes(Stream::drop, spec.faults.drop),
                 .late = strikes(Stream::late, spec.faults.late),
                 .torn = strikes(Stream::torn, spec.faults.torn),
                 .failed = strikes(Stream::failed, spec.faults.failed),
                 .tear_row = spec.height()};
    if (fate.torn) {
        fate.tear_row =
            static_cast<int>(spec.height() * sim::uniform(spec.seed, Stream::tear_row, key, 0.1, 0.9));
    }
    return fate;
}

}  // namespace fastpose
