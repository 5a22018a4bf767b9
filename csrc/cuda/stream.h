// Owners of streams and events. Set-up throws DeviceError.
#pragma once
#include <string>
#include <utility>

#include "cuda/cuda_calls.h"

namespace fastpose {

class CudaStream {
  public:
    CudaStream(CudaCalls& calls, bool high_priority);
    ~CudaStream();
    CudaStream(const CudaStream&) = delete;
    CudaStream& operator=(const CudaStream&) = delete;

    [[nodiscard]] CudaHandle handle() const noexcept { return handle_; }
    // Waits for all work on it.
    void synchronize();
    void begin_capture();
    // What was captured, which the caller owns; null after a failure, which `error` then tells. The stream
    // can be used again in any case.
    [[nodiscard]] CudaHandle end_capture(std::string& error);

  private:
    CudaCalls* calls_;
    CudaHandle handle_ = nullptr;
};

class CudaEvent {
  public:
    explicit CudaEvent(CudaCalls& calls);
    ~CudaEvent();
    CudaEvent(CudaEvent&& other) noexcept
        : calls_(other.calls_), handle_(std::exchange(other.handle_, nullptr)) {}
    CudaEvent& operator=(CudaEvent&&) = delete;

    [[nodiscard]] CudaHandle handle() const noexcept { return handle_; }

  private:
    CudaCalls* calls_;
    CudaHandle handle_ = nullptr;
};

}  // namespace fastpose
