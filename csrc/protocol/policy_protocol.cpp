// Our types to the policy's plain C and back; what comes back is not trusted.
#include "protocol/policy_protocol.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"

namespace fastpose {

static_assert(sizeof(Keypoint) == 3 * sizeof(float), "a policy reads keypoints as rows of three floats");
static_assert(FP_MAX_COMMANDS <= Decision::max_commands);
static_assert(FP_OFF == static_cast<int>(Action::off) && FP_ON == static_cast<int>(Action::on) &&
              FP_PULSE == static_cast<int>(Action::pulse) && FP_TRAIN == static_cast<int>(Action::train) &&
              FP_LEVEL == static_cast<int>(Action::level) && FP_RAMP == static_cast<int>(Action::ramp));

PolicyProtocol::PolicyProtocol(const fp_policy& policy, std::shared_ptr<void> owner)
    : policy_(policy), owner_(std::move(owner)) {
    if (policy.abi != FP_POLICY_ABI)
        throw ConfigError("the compiled protocol is for version " + std::to_string(policy.abi) +
                          " of policy.h; this fastpose has version " + std::to_string(FP_POLICY_ABI) +
                          ": compile it again, with: fastpose compile FILE.pyx");
    if (policy.step == nullptr) throw ConfigError("protocol.module: the policy has no step function");
}

void PolicyProtocol::step(const ProtocolInput& input, Decision& decision) noexcept {
    const fp_pose pose{.keypoints = reinterpret_cast<const float*>(input.pose.keypoints),
                       .individuals = input.pose.individuals,
                       .bodyparts = input.pose.bodyparts,
                       .frame_id = input.frame_id,
                       .exposure_start_ns = input.exposure_start_ns,
                       .now_ns = input.now_ns,
                       .rules = input.rules.data(),
                       .n_rules = static_cast<int>(input.rules.size())};
    commands_.count = 0;
    policy_.step(policy_.state, &pose, &commands_);
    const int count = std::clamp(commands_.count, 0, FP_MAX_COMMANDS);
    for (int i = 0; i < count; ++i) {
        const fp_command& command = commands_.items[i];
        if (command.action < FP_OFF || command.action > FP_RAMP) continue;
        decision.add({command.output, static_cast<Action>(command.action), command.duration_ns,
                      command.period_ns, command.count, command.value, command.to});
    }
    decision.state = commands_.state;
}

void PolicyProtocol::reset() noexcept {
    commands_ = {};
    if (policy_.reset != nullptr) policy_.reset(policy_.state);
}

}  // namespace fastpose
