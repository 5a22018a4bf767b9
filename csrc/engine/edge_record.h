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

[[nodiscard]] inline EventKind kind_of(const InterlockEvent& event) noexcept {
    switch (event.topic) {
        case EventTopic::level:
            return EventKind::level;
        case EventTopic::confirmed:
            return EventKind::confirmed;
        case EventTopic::stop:
            return EventKind::stop;
        case EventTopic::edge:
            break;
    }
    return event.refused ? EventKind::refused : EventKind::output;
}

[[nodiscard]] inline EventRecord event_record_of(const InterlockEvent& event) noexcept {
    const bool edge = event.topic == EventTopic::edge;
    const bool disarmed = edge && event.value != 0;
    return {.frame_id = -1,
            .stamp_ns = event.stamp_ns,
            .exposure_start_ns = 0,
            .kind = static_cast<std::int32_t>(kind_of(event)),
            .source = event.output,
            .value = edge ? (event.high ? 1 : 0) : event.value,
            .flags = flags_of(event.cause) | (disarmed ? event_safe : 0),
            .camera = 0,
            .crc32 = 0};
}

}  // namespace fastpose
