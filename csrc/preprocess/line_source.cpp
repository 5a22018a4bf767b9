// The two kinds of lines: pointers into the frame, and a two-line cache in front of a converter.
#include "preprocess/line_source.h"

#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "preprocess/line_converter.h"

namespace fastpose {
namespace {

// Behind the last byte of a line; a channel's own offset inside a pixel comes on top of the resampler's.
constexpr std::ptrdiff_t kPadding = RowResampler::overread_bytes + 16;

// A cache line of a converted line: its planes start at one, so that no vector store crosses two.
struct alignas(64) Block {
    std::array<std::int16_t, 32> samples{};
};

// 10 and 12 bits in 16: a signed sample holds them as they are.
constexpr bool is_wide(PixelFormat format) {
    return format == PixelFormat::mono10 || format == PixelFormat::mono12;
}

class FrameLines final : public LineSource {
  public:
    explicit FrameLines(const PreprocessSpec& spec)
        : roi_(spec.roi), format_(spec.format), needed_(row_bytes_of(spec.roi.width)) {
        for (auto& copy : copies_) copy.resize(static_cast<std::size_t>(needed_ + kPadding));
    }

    [[nodiscard]] LineLayout layout() const noexcept override {
        if (format_ == PixelFormat::mono8) return {};
        if (is_wide(format_))
            return {SampleType::i16, 1, 1, 0, 255.0F / static_cast<float>(white_of(format_))};
        return {SampleType::u8, 3, 3, format_ == PixelFormat::rgb8 ? 1 : -1, 1};
    }

    void begin(const FrameView& frame) noexcept override {
        origin_ = frame.data + roi_.y * frame.stride_bytes + row_bytes_of(roi_.x);
        stride_bytes_ = frame.stride_bytes;
        end_ = frame.data + (frame.height - 1) * frame.stride_bytes + row_bytes_of(frame.width);
    }

    void move_roi(int x, int y) noexcept override {
        roi_.x = x;
        roi_.y = y;
    }

    [[nodiscard]] const std::uint8_t* line(int y) noexcept override {
        const std::uint8_t* start = origin_ + y * stride_bytes_;
        if (end_ - start >= needed_ + kPadding) return start + first_channel();
        auto& copy = copies_[y & 1];
        std::memcpy(copy.data(), start, static_cast<std::size_t>(needed_));
        return copy.data() + first_channel();
    }

    [[nodiscard]] const std::uint8_t* peek(int y) const noexcept override {
        return origin_ + y * stride_bytes_;
    }

  private:
    [[nodiscard]] std::ptrdiff_t row_bytes_of(int pixels) const noexcept {
        return static_cast<std::ptrdiff_t>(row_bytes(format_, pixels));
    }
    [[nodiscard]] std::ptrdiff_t first_channel() const noexcept {
        return format_ == PixelFormat::bgr8 ? 2 : 0;
    }

    Roi roi_;
    PixelFormat format_;
    std::ptrdiff_t needed_;  // bytes of one line of the roi
    std::array<std::vector<std::uint8_t>, 2> copies_;
    const std::uint8_t* origin_ = nullptr;
    const std::uint8_t* end_ = nullptr;
    std::ptrdiff_t stride_bytes_ = 0;
};

class ConvertedLines final : public LineSource {
  public:
    ConvertedLines(const PreprocessSpec& spec, Isa isa)
        : choice_(make_line_converter(spec.format, spec.colour, isa)),
          roi_(spec.roi),
          yuv_(is_yuv(spec.format)),
          columns_(columns_of(spec.roi)) {
        constexpr std::ptrdiff_t block = sizeof(Block) / sizeof(std::int16_t);
        // One column more on either side: the roi may move to an odd one.
        const std::ptrdiff_t blocks = (spec.roi.width + 2 + kPadding + block - 1) / block;
        pitch_ = blocks * block;
        for (auto& buffer : buffers_) buffer.resize(static_cast<std::size_t>(blocks * choice_.channels));
    }

    [[nodiscard]] LineLayout layout() const noexcept override {
        const auto pitch_bytes = static_cast<std::ptrdiff_t>(pitch_ * sizeof(std::int16_t));
        return {SampleType::i16, choice_.channels, 1, pitch_bytes, choice_.unit};
    }

    void begin(const FrameView& frame) noexcept override {
        frame_ = frame;
        held_ = {-1, -1};
    }

    void move_roi(int x, int y) noexcept override {
        roi_.x = x;
        roi_.y = y;
        columns_ = columns_of(roi_);
    }

    [[nodiscard]] const std::uint8_t* line(int y) noexcept override {
        const int slot = y & 1;
        std::int16_t* start = buffers_[slot].data()->samples.data();
        if (held_[slot] != y) {
            PlanarLine planes;
            for (int c = 0; c < choice_.channels; ++c) planes.channel[c] = start + c * pitch_;
            choice_.converter->convert(frame_, roi_.y + y, columns_, planes);
            held_[slot] = y;
        }
        return reinterpret_cast<const std::uint8_t*>(start + (roi_.x - columns_.begin));
    }

    [[nodiscard]] const std::uint8_t* peek(int) const noexcept override { return nullptr; }

  private:
    static bool is_yuv(PixelFormat format) noexcept {
        return format == PixelFormat::yuyv || format == PixelFormat::nv12;
    }

    // Bayer and YUV columns come in pairs; a YUV pair is converted whole.
    [[nodiscard]] ColumnRange columns_of(const Roi& roi) const noexcept {
        const int end = roi.x + roi.width;
        return {roi.x & ~1, yuv_ ? (end + 1) & ~1 : end};
    }

    ConverterChoice choice_;
    Roi roi_;
    bool yuv_;
    ColumnRange columns_;
    std::ptrdiff_t pitch_ = 0;  // samples
    std::array<std::vector<Block>, 2> buffers_;
    std::array<int, 2> held_{-1, -1};  // the row in each buffer
    FrameView frame_;
};

}  // namespace

std::unique_ptr<LineSource> make_line_source(const PreprocessSpec& spec, Isa isa) {
    switch (spec.format) {
        case PixelFormat::mono8:
        case PixelFormat::mono10:
        case PixelFormat::mono12:
        case PixelFormat::rgb8:
        case PixelFormat::bgr8:
            return std::make_unique<FrameLines>(spec);
        default:
            return std::make_unique<ConvertedLines>(spec, isa);
    }
}

}  // namespace fastpose
