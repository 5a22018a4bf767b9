// Counter and clock in one step.
#include "engine/frame_stamper.h"

namespace fastpose {

void FrameStamper::begin(std::int64_t exposure_ns) noexcept {
    counter_.restart();
    clock_ = ClockFit();
    clock_.set_delay(exposure_ns);
}

FrameMeta FrameStamper::stamp(std::uint64_t number, std::int64_t camera_ns,
                              std::int64_t received_ns) noexcept {
    if (camera_ns != 0) clock_.add_frame(camera_ns, received_ns);
    const ExposureTime exposure = clock_.exposure(camera_ns, received_ns);
    const FrameCount count = counter_.next(number, received_ns);
    FrameMeta meta;
    meta.camera_counter = count.counter;
    meta.camera_timestamp_ns = camera_ns;
    meta.exposure_start_ns = exposure.start_ns;
    meta.exposure_error_ns = exposure.error_ns;
    meta.received_ns = received_ns;
    meta.flags = (exposure.fitted ? 0 : frame_clock_unfitted) | (count.reset ? frame_counter_reset : 0);
    return meta;
}

}  // namespace fastpose
