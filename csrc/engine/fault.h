// The slot for a worker's error: the first one wins, outputs go safe at once, the user's thread rethrows it.
#pragma once
#include <array>
#include <atomic>
#include <functional>

namespace fastpose {

enum class FaultKind : int { camera = 0, camera_disconnected, device, model, output, record, protocol };

// Thread-safe. post() may be called from the loop: it allocates nothing.
class FaultSlot {
  public:
    // `on_first` runs on the failing thread, before post() returns; it must not throw. Set in set-up.
    void on_first(std::function<void()> reaction) { reaction_ = std::move(reaction); }
    void post(FaultKind kind, const char* text) noexcept;
    [[nodiscard]] bool raised() const noexcept { return ready_.load(std::memory_order_acquire); }
    [[nodiscard]] const char* text() const noexcept { return raised() ? text_.data() : ""; }
    // Throws the error of the matching type; does nothing if there was none.
    void rethrow() const;

  private:
    std::atomic<bool> claimed_{false}, ready_{false};
    FaultKind kind_ = FaultKind::device;
    std::array<char, 512> text_{};
    std::function<void()> reaction_;
};

}  // namespace fastpose
