// Question: does a bodypart cross a line in this frame?
#pragma once
#include <array>
#include <cstdint>
#include <memory>

#include "rule/question.h"
#include "rule/turn.h"

namespace fastpose {

// The way from one visible position to the next meets the line between its two ends. Left and right are
// those of who looks from its first end to its second, in the frame as it is seen (y down).
struct CrossingSpec {
    std::array<double, 2> from{}, to{};  // ends of the line, in the gate's unit
    int bodypart = 0;
    Side side = Side::both;   // that it goes to
    double hysteresis = 0;    // it has crossed when it is farther than this behind the line
    double max_gap_ms = 500;  // a position that is older is no start of a way
};

// Yes in one frame a crossing; never missing: who is not seen crosses nothing. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Question> make_crossing(const CrossingSpec& spec, const Gate& gate);

}  // namespace fastpose
