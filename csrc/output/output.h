// Lines that act on the world. A driver only writes levels; the interlock decides whether it may.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

namespace fastpose {

// Thread-safe: the pipeline's thread and the timer thread both write. Set-up throws OutputError.
class OutputDriver {
  public:
    virtual ~OutputDriver() = default;
    // Returns when the operating system has taken the edge; false on failure.
    [[nodiscard]] virtual bool write(bool high) noexcept = 0;
    [[nodiscard]] virtual std::string description() const = 0;
    // Why the last failed write failed. For messages: allocates, not for the loop.
    [[nodiscard]] virtual std::string error() const { return "the write failed"; }
};

}  // namespace fastpose
