// Questions on a bodypart and its targets: in contact, coming nearer, going away.
#pragma once
#include <memory>

#include "rule/question.h"
#include "rule/target.h"

namespace fastpose {

struct ContactSpec {
    int bodypart = 0;
    TargetSpec to{};
    LimitSpec limit{};  // px, mm
};
// The distance to the nearest target. Missing while the bodypart or all targets are. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Question> make_contact(const ContactSpec& spec, const Gate& gate);

struct ApproachSpec {
    int bodypart = 0;
    TargetSpec to{};
    bool away = false;  // true: how fast it goes away
    double window_ms = 200;
    LimitSpec limit{.unit = "px_s"};  // above only
};
// How fast the distance to a target falls, or rises: its change since the oldest one in the window, over the
// time between; of several targets the one that says most. Missing while the bodypart or all targets are, or
// were in the window. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Question> make_approach(const ApproachSpec& spec, const Gate& gate);

}  // namespace fastpose
