// A network's tensor in device memory: what its elements are and how they lie.
#pragma once
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/tensor.h"

namespace fastpose {

// What a GPU's runtimes take and give; f16: IEEE half.
enum class DeviceElement : int { f32 = 0, u8 = 1, f16 = 2 };

// Dense. The shape is said as (N, C, H, W) in either layout; unused leading dimensions are 1.
struct DeviceTensor {
    std::string name;
    std::array<int, 4> shape{1, 1, 1, 1};
    DeviceElement element = DeviceElement::f32;
    TensorLayout layout = TensorLayout::nchw;

    [[nodiscard]] std::size_t size() const noexcept { return TensorView{nullptr, shape}.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept;
};

[[nodiscard]] std::string_view name_of(DeviceElement element) noexcept;
[[nodiscard]] std::size_t bytes_of(DeviceElement element) noexcept;
// "f32", "f16" or "u8"; throws ConfigError.
[[nodiscard]] DeviceElement device_element_from(std::string_view name);

}  // namespace fastpose
