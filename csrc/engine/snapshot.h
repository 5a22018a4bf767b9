// What can be told of a running engine at one moment.
#pragma once
#include <cstdint>
#include <vector>

#include "latency/histogram.h"

namespace fastpose {

struct CameraSnapshot {
    std::int64_t published = 0, processed = 0, dropped_ring = 0, dropped_camera = 0, dropped_recorder = 0;
    std::int64_t dropped_transport = 0;
    std::int64_t unmatched = 0;   // processed without the frames that belong to them
    std::int64_t times_lost = 0;  // the camera was gone
    std::int64_t late = 0, feed_dropped = 0;
    std::int64_t newest_exposure_ns = 0;  // of the newest processed frame
    std::int64_t expected_work_ns = 0;    // of the network, measured at warm-up
    int recorder_queue = 0;
    LatencySummary exposure_to_decided, exposure_to_acted, dequeued_to_decided;
};

// The counts are those of the acting camera.
struct EngineSnapshot : CameraSnapshot {
    std::int64_t lost_records = 0;
    std::int64_t outputs_ended_ns = 0;  // when they went safe for good; 0: not yet
    std::uint64_t rules = 0;            // bit i: rule i is true
    std::vector<std::uint8_t> outputs;  // levels
    std::vector<CameraSnapshot> cameras;
};

}  // namespace fastpose
