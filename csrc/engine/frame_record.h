// The row of a frame, as far as its meta data tell.
#pragma once
#include "frame/frame.h"
#include "record/records.h"

namespace fastpose {

// Fills in what came with the frame; flags of the record stay.
inline void copy_meta(const FrameMeta& meta, FrameRecord& record) noexcept {
    record.frame_id = meta.frame_id;
    record.camera_counter = meta.camera_counter;
    record.camera_timestamp_ns = meta.camera_timestamp_ns;
    record.exposure_start_ns = meta.exposure_start_ns;
    record.received_ns = meta.received_ns;
    record.flags |= meta.flags;
    record.exposure_error_ns = meta.exposure_error_ns;
}

[[nodiscard]] inline FrameRecord frame_record_of(const FrameMeta& meta) noexcept {
    FrameRecord record{};
    copy_meta(meta, record);
    return record;
}

}  // namespace fastpose
