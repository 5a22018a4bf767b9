// Buffers of a V4L2 device on their way round: lent, filled, taken.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "camera/v4l2_device.h"

namespace fastpose {

// A buffer that the driver gave back.
struct V4l2Filled {
    int slot = -1;                          // of the ring; -1: the pixels still lie in the driver's memory
    unsigned number = 0;                    // the driver's
    std::span<const std::uint8_t> bytes;    // what it filled
    std::uint32_t flags = 0, sequence = 0;  // V4L2_BUF_FLAG_*
    std::int64_t timestamp_ns = 0;
};

// Thread-bound. Only start() throws; nothing allocates while it runs.
class V4l2Stream {
  public:
    virtual ~V4l2Stream() = default;
    // A slot that the driver shall fill; false: it is refused.
    virtual bool lend(int slot, std::span<std::uint8_t> pixels) noexcept = 0;
    // Throws CameraError. The device exposes afterwards.
    virtual void start() = 0;
    virtual void stop() noexcept = 0;
    // 0, or -errno: -EAGAIN where none is filled.
    virtual int take(V4l2Filled& filled) noexcept = 0;
    // The bytes of a buffer without a slot are no longer needed; 0 or -errno.
    virtual int give_back(const V4l2Filled& filled) noexcept = 0;
    // V4L2_BUF_FLAG_* of the stamps to come; known after start().
    [[nodiscard]] virtual std::uint32_t stamp_flags() const noexcept = 0;
};

// How many buffers in our memory the driver takes at once, or -errno where it takes none. Before any stream
// is made.
[[nodiscard]] int try_user_memory(V4l2Device& device, std::size_t buffer_bytes);

// The driver writes into the slots. They must hold buffer_bytes.
[[nodiscard]] std::unique_ptr<V4l2Stream> make_user_stream(V4l2Device& device, std::size_t buffer_bytes);
// The driver writes into memory of its own, which it maps for us.
[[nodiscard]] std::unique_ptr<V4l2Stream> make_mapped_stream(V4l2Device& device, int buffers);

}  // namespace fastpose
