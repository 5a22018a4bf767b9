// The emergency stop: a switch in shared memory that any process of the user can throw.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/shared_memory.h"

namespace fastpose {

struct StopLayout;  // what lies in the shared memory; see the source

// Note [Stop]: A session makes one, named "/fastpose-<pid>-stop", and a thread of its own waits for it:
// neither Python nor the loop has a part in it. Who throws it waits until that thread says that the lines are
// safe.
//
// Thread-safe. Constructors throw DeviceError.
class StopSwitch {
  public:
    // `react` is called once, on the thread of the switch.
    static std::unique_ptr<StopSwitch> create(const std::string& name, std::function<void()> react);
    static std::unique_ptr<StopSwitch> attach(const std::string& name);
    ~StopSwitch();
    StopSwitch(const StopSwitch&) = delete;
    StopSwitch& operator=(const StopSwitch&) = delete;

    // Returns when the session has reacted; false if it did not within timeout_ns.
    bool throw_and_wait(std::int64_t timeout_ns) noexcept;
    [[nodiscard]] bool thrown() const noexcept;
    // Time from throwing to the end of the reaction; 0: not yet.
    [[nodiscard]] std::int64_t reaction_ns() const noexcept;

  private:
    explicit StopSwitch(SharedMemory memory) noexcept;
    void run(const std::function<void()>& react) noexcept;

    SharedMemory memory_;
    StopLayout* layout_;
    std::thread thread_;
};

}  // namespace fastpose
