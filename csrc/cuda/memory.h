// Owners of device memory, pinned memory and pinned registrations. Set-up throws DeviceError.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "cuda/cuda_calls.h"

namespace fastpose {

// Moves, and gives back what it has when it goes; empty where bytes is 0.
template <int (CudaCalls::*give_back)(void*) noexcept>
class OwnedMemory {
  public:
    OwnedMemory() = default;
    ~OwnedMemory() {
        if (memory_ != nullptr) static_cast<void>((calls_->*give_back)(memory_));
    }
    OwnedMemory(OwnedMemory&& other) noexcept { swap(other); }
    OwnedMemory& operator=(OwnedMemory&& other) noexcept {
        swap(other);
        return *this;
    }

    [[nodiscard]] std::uint8_t* data() const noexcept { return static_cast<std::uint8_t*>(memory_); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  protected:
    OwnedMemory(CudaCalls& calls, std::size_t bytes) : calls_(&calls), bytes_(bytes) {}

    void* memory_ = nullptr;  // the constructor of who derives fills it

  private:
    void swap(OwnedMemory& other) noexcept {
        std::swap(calls_, other.calls_);
        std::swap(memory_, other.memory_);
        std::swap(bytes_, other.bytes_);
    }

    CudaCalls* calls_ = nullptr;
    std::size_t bytes_ = 0;
};

// Zeroed memory on the device.
class DeviceMemory : public OwnedMemory<&CudaCalls::free> {
  public:
    DeviceMemory() = default;
    DeviceMemory(CudaCalls& calls, std::size_t bytes);
};

// Device memory that holds a copy of these bytes.
[[nodiscard]] DeviceMemory on_device(CudaCalls& calls, std::span<const std::byte> bytes);

// Zeroed page-locked memory of the host.
class PinnedMemory : public OwnedMemory<&CudaCalls::free_pinned> {
  public:
    PinnedMemory() = default;
    PinnedMemory(CudaCalls& calls, std::size_t bytes);
};

// Somebody else's memory (a ring's slots, an SDK's buffers), page-locked as long as this lives. It must
// outlive this.
class RegisteredMemory {
  public:
    RegisteredMemory(CudaCalls& calls, std::span<std::uint8_t> memory);
    ~RegisteredMemory();
    RegisteredMemory(const RegisteredMemory&) = delete;
    RegisteredMemory& operator=(const RegisteredMemory&) = delete;

    [[nodiscard]] bool holds(const std::uint8_t* begin, std::size_t bytes) const noexcept {
        return begin >= memory_.data() && begin + bytes <= memory_.data() + memory_.size();
    }

  private:
    CudaCalls* calls_;
    std::span<std::uint8_t> memory_;
};

}  // namespace fastpose
