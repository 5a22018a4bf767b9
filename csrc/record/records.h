// The fixed-size records of the session log, little-endian, as they lie on disk. The header of each log file
// carries the same layout as a NumPy dtype, so a reader needs no copy of this file.
#pragma once
#include <cstdint>

namespace fastpose {

// One exposure of one camera and its fate. 0 in a stamp: this stage was not reached.
struct FrameRecord {
    std::int64_t frame_id, camera_counter, camera_timestamp_ns;
    std::int64_t exposure_start_ns, received_ns, dequeued_ns, preprocessed_ns, inferred_ns, decoded_ns,
        filtered_ns, decided_ns, acted_ns;
    std::int32_t roi_x, roi_y, roi_width, roi_height;
    std::int32_t drop_reason;        // DropReason
    std::int32_t flags;              // FrameFlag bits
    std::int32_t exposure_error_ns;  // uncertainty of exposure_start_ns; 0: not known
    std::uint32_t crc32;             // zlib's, over all bytes before it
};
static_assert(sizeof(FrameRecord) == 128);

enum class DropReason : std::int32_t { none = 0, camera = 1, ring = 2, recorder = 3, transport = 4 };

enum class EventKind : std::int32_t {
    rule = 0,       // value 1: became true
    state = 1,      // value: the protocol's new state
    output = 2,     // value 1: went high
    refused = 3,    // the interlock refused a command; value: 1 for a refused on
    late = 4,       // a reaction missed its deadline and was suppressed
    confirmed = 5,  // the device has the level; stamp by its own clock, where it has one
    trial = 6,      // a trial began; source: its type, value: its number from 1
    stop = 7,       // all lines went safe; value: 0 emergency stop, 1 poses stopped, 2 poses are back
    user = 8,
    level = 9,  // a new analogue value; value: thousandths of the line's unit
    kept =
        10,  // a command was taken and made no edge; value: the line's level. For a replay, see Note [Replay]
};

enum EventFlag : std::int32_t {
    event_late = 1,       // acted later than the deadline
    event_timer = 2,      // pulse end by the timer
    event_interlock = 4,  // forced low by max_on_ms
    event_safe = 8,       // written while going to the safe state; refused because outputs are safe
    event_user = 16,      // asked for by Python
};

struct EventRecord {
    std::int64_t frame_id;           // frame that caused it, -1: none
    std::int64_t stamp_ns;           // when it happened (outputs: when the write returned)
    std::int64_t exposure_start_ns;  // of that frame, 0: none
    std::int32_t kind;               // EventKind
    std::int32_t source;             // index of the rule or output
    std::int32_t value;
    std::int32_t flags;   // EventFlag bits
    std::int32_t camera;  // of the frame: index in the config's order
    std::uint32_t crc32;
};
static_assert(sizeof(EventRecord) == 48);

// A pose record is: int64 frame_id; float32 raw[individuals * bodyparts * 3]; float32 filtered[the same];
// uint32 reserved; uint32 crc32.

}  // namespace fastpose
