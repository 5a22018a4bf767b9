// Views of a network's tensors, and what the elements of an input are.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fastpose {

struct TensorView {
    const float* data = nullptr;
    std::array<int, 4> shape{};  // N, C, H, W; unused leading dimensions are 1

    [[nodiscard]] std::size_t size() const noexcept {
        return static_cast<std::size_t>(shape[0]) * shape[1] * shape[2] * shape[3];
    }
};

enum class ElementType : int { f32 = 0, u8 = 1 };
// Whether the channels of a tensor are planes, or lie side by side in each pixel.
enum class TensorLayout : int { nchw = 0, nhwc = 1 };

// What a runtime takes as input. Shapes are said as (N, C, H, W) in either layout.
struct TensorFormat {
    ElementType element = ElementType::f32;
    TensorLayout layout = TensorLayout::nchw;

    [[nodiscard]] std::size_t element_bytes() const noexcept {
        return element == ElementType::f32 ? sizeof(float) : sizeof(std::uint8_t);
    }
    [[nodiscard]] bool operator==(const TensorFormat&) const noexcept = default;
};

// "f32" or "u8"; "nchw" or "nhwc".
[[nodiscard]] std::string_view name_of(ElementType element) noexcept;
[[nodiscard]] std::string_view name_of(TensorLayout layout) noexcept;
// Throws ConfigError for other names.
[[nodiscard]] TensorFormat tensor_format_from(std::string_view element, std::string_view layout);
[[nodiscard]] std::string text_of(TensorFormat format);

// A runtime's input: its memory, not owned.
struct InputView {
    void* data = nullptr;
    TensorFormat format;
};

}  // namespace fastpose
