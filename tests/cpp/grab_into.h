// Lends a camera one slot of memory and grabs into it.
#pragma once
#include "camera/camera.h"

namespace fastpose {

inline GrabStatus grab_into(Camera& camera, std::span<std::uint8_t> memory, FrameMeta& meta,
                            std::int64_t timeout_ns) {
    camera.lend(0, memory);
    return camera.grab(meta, timeout_ns).status;
}

}  // namespace fastpose
