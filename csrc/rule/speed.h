// Questions on the motion of bodyparts: speed, standing still, acceleration.
#pragma once
#include <memory>
#include <vector>

#include "rule/in_zone.h"
#include "rule/question.h"

namespace fastpose {

// Speed = straight way from the oldest position in the window to the present one, over the exposure time
// between them. The window spans time, not frames: drops make it sparser, not longer. Missing while the
// bodypart is, or while the window holds fewer than two positions.
struct SpeedSpec {
    int bodypart = 0;  // index into the pose
    double window_ms = 50;
    LimitSpec limit{.unit = "px_s"};
};
[[nodiscard]] std::unique_ptr<Question> make_speed(const SpeedSpec& spec, const Gate& gate);  // ConfigError

// Each of the bodyparts (Which::all), or one (any), is slower than the limit; a limit `below`. all: no if a
// visible one is not, missing if one is missing; any: yes if a visible one is, missing if all are missing.
struct FreezingSpec {
    std::vector<int> bodyparts{};
    Which which = Which::all;
    double window_ms = 200;
    LimitSpec limit{.unit = "px_s"};
};
[[nodiscard]] std::unique_ptr<Question> make_freezing(const FreezingSpec& spec, const Gate& gate);

enum class Change : int { any = 0, faster = 1, slower = 2 };

// Velocity over the later half of the window less that over the earlier half, over half its time. any: the
// length of that vector; faster and slower: the difference of the two speeds. Missing while the bodypart is,
// or with fewer than three positions.
struct AccelerationSpec {
    int bodypart = 0;
    Change change = Change::any;
    double window_ms = 100;
    LimitSpec limit{.unit = "px_s2"};
};
[[nodiscard]] std::unique_ptr<Question> make_acceleration(const AccelerationSpec& spec, const Gate& gate);

}  // namespace fastpose
