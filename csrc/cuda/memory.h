// Owners of device memory, pinned memory and pinned registrations. Set-up throws DeviceError.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "cuda/cuda_calls.h"

namespace fastpose {

// Zeroed memory on the device; empty where bytes is 0.
class DeviceMemory {
  public:
    DeviceMemory() = default;
    DeviceMemory(CudaCalls& calls, std::size_t bytes);
    ~DeviceMemory() { reset(); }
    DeviceMemory(DeviceMemory&& other) noexcept { swap(other); }
    DeviceMemory& operator=(DeviceMemory&& other) noexcept {
        swap(other);
        return *this;
    }

    [[nodiscard]] std::uint8_t* data() const noexcept { return static_cast<std::uint8_t*>(memory_); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  private:
    void reset() noexcept;
    void swap(DeviceMemory& other) noexcept {
        std::swap(calls_, other.calls_);
        std::swap(memory_, other.memory_);
        std::swap(bytes_, other.bytes_);
    }

    CudaCalls* calls_ = nullptr;
    void* memory_ = nullptr;
    std::size_t bytes_ = 0;
};

// Device memory that holds a copy of these bytes.
[[nodiscard]] DeviceMemory on_device(CudaCalls& calls, std::span<const std::byte> bytes);

// Zeroed page-locked memory of the host.
class PinnedMemory {
  public:
    PinnedMemory() = default;
    PinnedMemory(CudaCalls& calls, std::size_t bytes);
    ~PinnedMemory() { reset(); }
    PinnedMemory(PinnedMemory&& other) noexcept { swap(other); }
    PinnedMemory& operator=(PinnedMemory&& other) noexcept {
        swap(other);
        return *this;
    }

    [[nodiscard]] std::uint8_t* data() const noexcept { return static_cast<std::uint8_t*>(memory_); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  private:
    void reset() noexcept;
    void swap(PinnedMemory& other) noexcept {
        std::swap(calls_, other.calls_);
        std::swap(memory_, other.memory_);
        std::swap(bytes_, other.bytes_);
    }

    CudaCalls* calls_ = nullptr;
    void* memory_ = nullptr;
    std::size_t bytes_ = 0;
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
