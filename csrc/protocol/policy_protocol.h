// Runs a compiled user policy (policy.h) as a protocol of the loop.
#pragma once
#include <memory>

#include "protocol/policy.h"
#include "protocol/protocol.h"

namespace fastpose {

// Thread-bound. `owner` keeps the policy's memory and code alive (as a Python capsule) and is let go with
// this object. The constructor throws ConfigError if the policy has no step or was compiled for another
// version of the interface.
class PolicyProtocol final : public Protocol {
  public:
    explicit PolicyProtocol(const fp_policy& policy, std::shared_ptr<void> owner = {});

    void step(const ProtocolInput& input, Decision& decision) noexcept override;
    void reset() noexcept override;

  private:
    fp_policy policy_;
    std::shared_ptr<void> owner_;
    fp_commands commands_{};
};

}  // namespace fastpose
