// A protocol that never acts: watching and recording only.
#pragma once
#include "protocol/protocol.h"

namespace fastpose {

class NoProtocol final : public Protocol {
  public:
    void step(const ProtocolInput&, Decision&) noexcept override {}
    void reset() noexcept override {}
};

}  // namespace fastpose
