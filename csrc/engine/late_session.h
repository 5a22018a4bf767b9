// A session on a machine that is late at will: for tests of what must not depend on when things are done.
#pragma once
#include <cstdint>
#include <vector>

#include "engine/replay.h"

namespace fastpose {

// Note [Late machine]: Pipeline and interlock are those of a session; their clock goes on by itself a little
// with every look at it, and now and then by up to `worst_ns`: so there are delays before and after each
// stage, command and write. The timer of the outputs comes whenever it likes, also between two commands and
// in the middle of its round over the lines; so does the wake-up of the protocol. Frames that lie behind a
// newer one are dropped. All of it follows from the seed.

struct LateSpec {
    std::uint64_t seed = 0;
    std::int64_t worst_ns = 0;         // longest of the delays
    double share = 0.05;               // of the looks at the clock that are delayed, 0-1
    std::int64_t max_pose_gap_ns = 0;  // the watchdog's; 0: none
};

struct LateSession {
    std::vector<EventRecord> events;   // in no order
    std::vector<FrameRecord> frames;   // those that were processed
    std::vector<std::int64_t> places;  // of these among all frames
    std::vector<float> filtered;       // (processed frames, individuals, bodyparts, 3)
    std::int64_t ended_ns = 0;         // the outputs went safe for good
};

// `record`: frames with exposure_start_ns and received_ns, raw poses, and inputs at their earliest times; no
// guide. Throws ConfigError, also where so much is late that the queues of the log do not hold it.
// Thread-safe, as replay() is.
[[nodiscard]] LateSession late_session(ReplayParts parts, const ReplayRecord& record, const LateSpec& spec);

}  // namespace fastpose
