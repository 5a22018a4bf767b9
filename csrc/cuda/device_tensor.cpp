// Names and sizes of elements.
#include "cuda/device_tensor.h"

#include "base/error.h"

namespace fastpose {

std::size_t bytes_of(DeviceElement element) noexcept {
    constexpr std::size_t bytes[] = {4, 1, 2};
    return bytes[static_cast<int>(element)];
}

std::size_t DeviceTensor::bytes() const noexcept { return size() * bytes_of(element); }

std::string_view name_of(DeviceElement element) noexcept {
    constexpr std::string_view names[] = {"f32", "u8", "f16"};
    return names[static_cast<int>(element)];
}

DeviceElement device_element_from(std::string_view name) {
    for (const auto element : {DeviceElement::f32, DeviceElement::u8, DeviceElement::f16})
        if (name == name_of(element)) return element;
    throw ConfigError("element is '" + std::string(name) + "'; allowed: f32, f16, u8");
}

}  // namespace fastpose
