// Lines of the roi as the resampler reads them: straight from the frame, or converted from Bayer or YUV.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/cpu_features.h"
#include "frame/frame.h"
#include "preprocess/preprocess.h"
#include "preprocess/row_resampler.h"

namespace fastpose {

// How the samples of a line lie in memory.
struct LineLayout {
    SampleType sample = SampleType::u8;
    int channels = 1;                  // in the order R, G, B where 3
    int pixel_samples = 1;             // from one pixel of a channel to the next
    std::ptrdiff_t channel_pitch = 0;  // bytes
    float unit = 1;                    // grey levels (0..255) per count of a sample
};

// Note [Reading ahead]: a resampler reads up to RowResampler::overread_bytes behind what it needs. Inside the
// frame that is harmless; a line that lies too close to the frame's last byte is handed out as a padded copy.
class LineSource {
  public:
    virtual ~LineSource() = default;
    [[nodiscard]] virtual LineLayout layout() const noexcept = 0;
    virtual void begin(const FrameView& frame) noexcept = 0;
    // The roi's upper left corner from the next begin() on; inside the frame.
    virtual void move_roi(int x, int y) noexcept = 0;
    // First sample of channel 0 of row y of the roi. Valid until a line is asked for that is not y +- 1.
    [[nodiscard]] virtual const std::uint8_t* line(int y) noexcept = 0;
    // Where row y lies if it needs no work, to be fetched ahead; else nullptr.
    [[nodiscard]] virtual const std::uint8_t* peek(int y) const noexcept = 0;
};

[[nodiscard]] std::unique_ptr<LineSource> make_line_source(const PreprocessSpec& spec, Isa isa);

}  // namespace fastpose
