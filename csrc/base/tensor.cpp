// Names of tensor formats.
#include "base/tensor.h"

#include "base/error.h"

namespace fastpose {
namespace {

[[noreturn]] void refuse(const char* what, std::string_view name, const char* allowed) {
    throw ConfigError(std::string(what) + " is '" + std::string(name) + "'; allowed: " + allowed);
}

}  // namespace

std::string_view name_of(ElementType element) noexcept { return element == ElementType::u8 ? "u8" : "f32"; }

std::string_view name_of(TensorLayout layout) noexcept {
    return layout == TensorLayout::nhwc ? "nhwc" : "nchw";
}

TensorFormat tensor_format_from(std::string_view element, std::string_view layout) {
    if (element != "f32" && element != "u8") refuse("element", element, "f32, u8");
    if (layout != "nchw" && layout != "nhwc") refuse("layout", layout, "nchw, nhwc");
    return {element == "u8" ? ElementType::u8 : ElementType::f32,
            layout == "nhwc" ? TensorLayout::nhwc : TensorLayout::nchw};
}

std::string text_of(TensorFormat format) {
    return std::string(name_of(format.element)) + " " + std::string(name_of(format.layout));
}

}  // namespace fastpose
