// A mutex whose holder inherits the priority of the most urgent thread that waits for it, where the system
// can.
#pragma once
#include <memory>

namespace fastpose {

// Thread-safe; meets BasicLockable, so std::lock_guard works. Allocates in its constructor only.
class PriorityMutex {
  public:
    PriorityMutex();
    ~PriorityMutex();
    void lock() noexcept;
    void unlock() noexcept;

  private:
    struct Native;
    std::unique_ptr<Native> native_;
};

}  // namespace fastpose
