// SFNC 2 counts nanoseconds; GigE Vision 1 counts ticks of a frequency that the camera tells.
#include "camera/aravis_clock.h"

#include <array>

#include "base/clock.h"

namespace fastpose::aravis {
namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;

struct Latch {
    const char *command, *value, *frequency;
};
constexpr std::array<Latch, 2> latches{{
    {"TimestampLatch", "TimestampLatchValue", nullptr},
    {"GevTimestampControlLatch", "GevTimestampValue", "GevTimestampTickFrequency"},
}};

std::string read_text(ArvCamera* camera, const char* feature) {
    return has(camera, feature) ? std::string(ask_or("", arv_camera_get_string, camera, feature)) : "";
}

}  // namespace

std::int64_t ticks_to_ns(std::int64_t ticks, std::int64_t ticks_per_s) noexcept {
    if (ticks_per_s <= 0 || ticks_per_s == ns_per_s) return ticks;
    return ticks / ticks_per_s * ns_per_s + ticks % ticks_per_s * ns_per_s / ticks_per_s;
}

DeviceClock::DeviceClock(ArvCamera* camera) noexcept : camera_(camera) {
    for (const Latch& latch : latches) {
        if (!has(camera, latch.command) || !has(camera, latch.value)) continue;
        latch_ = latch.command;
        value_ = latch.value;
        if (latch.frequency != nullptr && has(camera, latch.frequency))
            ticks_per_s_ = ask_or(ns_per_s, arv_camera_get_integer, camera, latch.frequency);
        return;
    }
}

bool DeviceClock::latch(ClockPair& pair) const noexcept {
    if (latch_ == nullptr) return false;
    ErrorSlot error;
    pair.host_before_ns = now_ns();
    arv_camera_execute_command(camera_, latch_, error);
    pair.host_after_ns = now_ns();
    if (error.set()) return false;
    const std::int64_t ticks = arv_camera_get_integer(camera_, value_, error);
    pair.camera_ns = ticks_to_ns(ticks, ticks_per_s_);
    return !error.set() && ticks != 0;
}

std::string DeviceClock::ptp_state() const {
    if (camera_ == nullptr) return "";
    const std::string status = read_text(camera_, "PtpStatus") + read_text(camera_, "GevIEEE1588Status");
    if (status.empty()) return "";
    if (has(camera_, "PtpDataSetLatch")) {
        ErrorSlot ignored;
        arv_camera_execute_command(camera_, "PtpDataSetLatch", ignored);
    }
    if (!has(camera_, "PtpOffsetFromMaster")) return "PTP " + status;
    const auto offset_ns = ask_or<std::int64_t>(0, arv_camera_get_integer, camera_, "PtpOffsetFromMaster");
    return "PTP " + status + ", " + std::to_string(offset_ns) + " ns from its master";
}

}  // namespace fastpose::aravis
