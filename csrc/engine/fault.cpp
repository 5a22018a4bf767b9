// First error wins; the text is copied into fixed memory.
#include "engine/fault.h"

#include <cstdio>

#include "base/error.h"

namespace fastpose {

void FaultSlot::post(FaultKind kind, const char* text) noexcept {
    if (claimed_.exchange(true)) return;
    kind_ = kind;
    std::snprintf(text_.data(), text_.size(), "%s", text);
    if (reaction_) reaction_();  // outputs first, noise second
    ready_.store(true, std::memory_order_release);
}

void FaultSlot::rethrow() const {
    if (!raised()) return;
    switch (kind_) {
        case FaultKind::camera:
            throw CameraError(text_.data());
        case FaultKind::camera_disconnected:
            throw CameraDisconnected(text_.data());
        case FaultKind::device:
            throw DeviceError(text_.data());
        case FaultKind::model:
            throw ModelError(text_.data());
        case FaultKind::output:
            throw OutputError(text_.data());
        case FaultKind::record:
            throw RecordError(text_.data());
        case FaultKind::protocol:
            throw FastposeError(text_.data());
    }
}

}  // namespace fastpose
