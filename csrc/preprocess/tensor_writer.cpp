// What a plane is depends on the layout: of one channel's elements, or of whole pixels.
#include "preprocess/tensor_writer.h"

#include <algorithm>
#include <cstring>

namespace fastpose {
namespace {

template <class Element>
using Pixel = std::array<Element, 3>;

template <class Element>
void mirror_plane(Element* plane, const TensorSpec& spec) noexcept {
    const auto pitch = static_cast<std::size_t>(spec.width);
    const int last = spec.image_width - 1;
    for (int y = 0; y < spec.image_height; ++y) {
        Element* row = plane + y * pitch;
        for (int x = last + 1; x < spec.width; ++x) row[x] = row[2 * last - x];
    }
    for (int y = spec.image_height; y < spec.height; ++y)
        std::memcpy(plane + y * pitch, plane + (2 * (spec.image_height - 1) - y) * pitch,
                    pitch * sizeof(Element));
}

template <class Element>
void clear_plane(Element* plane, const TensorSpec& spec) noexcept {
    const auto pitch = static_cast<std::size_t>(spec.width);
    for (int y = 0; y < spec.image_height; ++y)
        std::fill(plane + y * pitch + spec.image_width, plane + (y + 1) * pitch, Element{});
    std::fill(plane + spec.image_height * pitch, plane + spec.height * pitch, Element{});
}

std::size_t plane_size(const TensorSpec& spec) noexcept {
    return static_cast<std::size_t>(spec.width) * static_cast<std::size_t>(spec.height);
}

}  // namespace

TensorWriter::TensorWriter(const TensorSpec& spec, Isa isa) : spec_(spec), kernels_(tensor_kernels_for(isa)) {
    if (spec_.channels == 1) spec_.format.layout = TensorLayout::nchw;  // one channel: no difference
    if (in_place()) return;
    for (int c = 0; c < spec.channels; ++c) lines_[c].resize(static_cast<std::size_t>(spec.image_width));
}

std::array<float*, 3> TensorWriter::row(void* tensor, int y) noexcept {
    if (!in_place()) return {lines_[0].data(), lines_[1].data(), lines_[2].data()};
    float* first = static_cast<float*>(tensor) + static_cast<std::size_t>(y) * spec_.width;
    if (spec_.channels == 1) return {first, nullptr, nullptr};
    return {first, first + plane_size(spec_), first + 2 * plane_size(spec_)};
}

void TensorWriter::write(void* tensor, int y) const noexcept {
    if (in_place()) return;
    const std::size_t pixel = static_cast<std::size_t>(y) * spec_.width, count = lines_[0].size();
    const ChannelRows rows{lines_[0].data(), lines_[1].data(), lines_[2].data()};
    auto* bytes = static_cast<std::uint8_t*>(tensor);
    if (spec_.format.element == ElementType::f32) {
        kernels_.interleave(rows, count, static_cast<float*>(tensor) + 3 * pixel);
    } else if (spec_.format.layout == TensorLayout::nhwc) {
        kernels_.quantise_pixels(rows, count, bytes + 3 * pixel);
    } else {
        for (int c = 0; c < spec_.channels; ++c)
            kernels_.quantise(rows[c], count, bytes + c * plane_size(spec_) + pixel);
    }
}

template <class Action>
void TensorWriter::on_planes(void* tensor, Action action) const noexcept {
    const bool bytes = spec_.format.element == ElementType::u8;
    if (spec_.format.layout == TensorLayout::nhwc) {
        if (bytes) return action(static_cast<Pixel<std::uint8_t>*>(tensor));
        return action(static_cast<Pixel<float>*>(tensor));
    }
    for (int c = 0; c < spec_.channels; ++c) {
        const std::size_t start = c * plane_size(spec_);
        if (bytes)
            action(static_cast<std::uint8_t*>(tensor) + start);
        else
            action(static_cast<float*>(tensor) + start);
    }
}

void TensorWriter::mirror(void* tensor) const noexcept {
    on_planes(tensor, [this](auto* plane) { mirror_plane(plane, spec_); });
}

void TensorWriter::clear(void* tensor) const noexcept {
    on_planes(tensor, [this](auto* plane) { clear_plane(plane, spec_); });
}

}  // namespace fastpose
