// What a frame costs between the camera's library and the loop.
#pragma once
#include <cstdint>
#include <vector>

#include "camera/camera.h"
#include "frame/ring.h"

namespace fastpose {

struct GrabCost {
    // A frame that waits in the library: from the call that fetches it until the loop has it out of the ring.
    std::vector<std::int64_t> queued_ns;
    // Threads that wait: from the frame whole in memory (received) until the loop has it; two wake-ups.
    std::vector<std::int64_t> live_ns;
    std::int64_t failed = 0;  // frames that did not arrive whole
};

// Arms the camera and takes `frames` frames each way; a second without one ends it early. The ring must fit
// the camera's info() and have no recorder. Throws CameraError. Blocks.
[[nodiscard]] GrabCost measure_grab_cost(Camera& camera, Ring& ring, int frames);

}  // namespace fastpose
