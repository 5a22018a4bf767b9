// What went wrong in the loop, in memory of its own: nothing throws there, nothing allocates.
#pragma once
#include <array>
#include <cstdio>

#include "cuda/cuda_calls.h"

namespace fastpose {

class CudaLastError {
  public:
    explicit CudaLastError(int device) noexcept : device_(device) {}

    // Whether a call went well; else it is noted, and the runtime forgets it.
    [[nodiscard]] bool good(CudaCalls& calls, int error, const char* what) noexcept {
        if (error == 0) return true;
        std::snprintf(text_.data(), text_.size(), "device cuda:%d: %s failed: %s: %s", device_, what,
                      calls.error_name(error), calls.error_text(error));
        calls.clear_error();
        return false;
    }
    // The network itself said no.
    void refused(const char* what) noexcept {
        std::snprintf(text_.data(), text_.size(), "device cuda:%d: the network refused %s", device_, what);
    }
    [[nodiscard]] const char* text() const noexcept { return text_.data(); }

  private:
    int device_;
    std::array<char, 256> text_{};
};

}  // namespace fastpose
