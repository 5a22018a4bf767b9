// What is known of a camera's clock, as plain memory that can lie in shared memory.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace fastpose {

// Where the relation of the camera's clock to the host's comes from.
enum class ClockSource : std::int32_t {
    none = 0,     // nothing is known: exposure_start is a guess from `received`
    latched = 1,  // simultaneous readings of both clocks
    frames = 2,   // lower envelope of (camera timestamp, received): blind to the shortest delay there is
};

struct ClockReport {
    ClockSource source = ClockSource::none;
    std::int32_t restarts = 0;   // the fit began anew: the clock jumped, was reset or changed its rate
    std::int64_t readings = 0;   // taken in, outliers among them
    std::int64_t outliers = 0;   // that contradicted all others
    std::int64_t offset_ns = 0;  // host minus camera, at the newest reading
    double drift_ppm = 0;        // how much faster the camera's clock runs than the host's
    double drift_error_ppm = 0;  // two standard deviations
    double residual_ns = 0;      // root mean square of the readings about the line
    std::array<char, 16> ptp{};  // state of the camera's PTP clock (slave, master, ...); empty: none
    std::int64_t error_ns = 0;   // of exposure_start at the newest reading
};

inline void set_ptp(ClockReport& report, std::string_view state) noexcept {
    report.ptp = {};
    state.copy(report.ptp.data(), report.ptp.size() - 1);
}

}  // namespace fastpose
