// A protocol and its outputs in virtual time: no camera, no thread, hours within a second.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "output/interlock.h"
#include "protocol/protocol.h"

namespace fastpose {

// What a line did, or was refused.
struct VirtualEdge {
    std::int64_t time_ns = 0;
    std::int32_t output = 0;
    bool high = false, refused = false;
    EdgeCause cause = EdgeCause::protocol;
};

// The protocol is woken, pulses end and limits act at the very times that they are set for; the outputs have
// drivers, limits and the interlock of a session. Thread-bound: its clock is that of the thread, so one rig a
// thread moves at a time. Time only goes on.
class VirtualRig {
  public:
    // Arms the outputs at time 0. Throws ConfigError, OutputError.
    VirtualRig(std::shared_ptr<Protocol> protocol, std::vector<OutputLine> lines);

    // Lets time go on to `time_ns`.
    void run_until(std::int64_t time_ns);
    // A frame whose exposure began age_ns before.
    void frame(std::int64_t time_ns, std::span<const std::uint8_t> rules, std::int64_t age_ns = 0);
    // All outputs to their safe level, as at the end of every session.
    void end();

    [[nodiscard]] const std::vector<VirtualEdge>& edges() const noexcept { return edges_; }
    [[nodiscard]] const std::vector<ProtocolNote>& notes() const noexcept { return notes_; }
    [[nodiscard]] bool finished() const noexcept { return finished_; }
    [[nodiscard]] bool high(int output) const { return interlock_->line(output).high(); }

  private:
    void carry_out(const Decision& decision);
    void take_events();

    std::shared_ptr<Protocol> protocol_;
    std::unique_ptr<Interlock> interlock_;
    Decision decision_;
    std::vector<VirtualEdge> edges_;
    std::vector<ProtocolNote> notes_;
    bool finished_ = false;
};

}  // namespace fastpose
