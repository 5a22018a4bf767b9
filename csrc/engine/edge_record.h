// The event of an edge that no frame caused.
#pragma once
#include "output/event_queue.h"
#include "record/records.h"

namespace fastpose {

[[nodiscard]] inline std::int32_t flags_of(EdgeCause cause) noexcept {
    switch (cause) {
        case EdgeCause::timer:
            return event_timer;
        case EdgeCause::interlock:
            return event_interlock;
        case EdgeCause::safe:
            return event_safe;
        case EdgeCause::user:
            return event_user;
        case EdgeCause::protocol:
            break;
    }
    return 0;
}

[[nodiscard]] inline EventRecord event_record_of(const InterlockEvent& event) noexcept {
    const EventKind kind = event.refused ? EventKind::refused : EventKind::output;
    return {.frame_id = -1,
            .stamp_ns = event.stamp_ns,
            .exposure_start_ns = 0,
            .kind = static_cast<std::int32_t>(kind),
            .source = event.output,
            .value = event.high ? 1 : 0,
            .flags = flags_of(event.cause),
            .camera = 0,
            .crc32 = 0};
}

}  // namespace fastpose
