// Turns an error of the CUDA runtime into a DeviceError that says which call it was.
#pragma once
#include <source_location>
#include <string>

#include "base/error.h"
#include "cuda/cuda_calls.h"

namespace fastpose {

[[nodiscard]] inline std::string cuda_error_text(const CudaCalls& calls, int error) {
    return std::string(calls.error_name(error)) + ": " + calls.error_text(error);
}

// Throws DeviceError unless `error` is 0; the runtime forgets the error.
inline void check_cuda(CudaCalls& calls, int error, const char* what,
                       std::source_location place = std::source_location::current()) {
    if (error == 0) return;
    calls.clear_error();
    const std::string file = place.file_name();
    throw DeviceError(std::string("CUDA: ") + what + " failed: " + cuda_error_text(calls, error) + " (" +
                      file.substr(file.find_last_of('/') + 1) + ":" + std::to_string(place.line()) + ")");
}

}  // namespace fastpose
