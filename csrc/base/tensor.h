// A non-owning view of a dense float32 tensor, as networks give it and decoders read it.
#pragma once
#include <array>
#include <cstddef>

namespace fastpose {

struct TensorView {
    const float* data = nullptr;
    std::array<int, 4> shape{};  // N, C, H, W; unused leading dimensions are 1

    [[nodiscard]] std::size_t size() const noexcept {
        return static_cast<std::size_t>(shape[0]) * shape[1] * shape[2] * shape[3];
    }
};

}  // namespace fastpose
