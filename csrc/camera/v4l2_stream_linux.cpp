// USERPTR and MMAP.
#include "camera/v4l2_stream.h"

#include <linux/videodev2.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "camera/v4l2_numbers.h"

namespace fastpose {
namespace {

constexpr int most_slots = 256;

v4l2_buffer blank(v4l2_memory memory, unsigned number = 0) noexcept {
    v4l2_buffer buffer{};
    buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    buffer.memory = memory;
    buffer.index = number;
    return buffer;
}

// How many of `count` buffers the driver grants, or -errno; 0 takes all away.
int request(V4l2Device& device, v4l2_memory memory, int count) noexcept {
    v4l2_requestbuffers buffers{};
    buffers.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    buffers.memory = memory;
    buffers.count = static_cast<std::uint32_t>(count);
    const int result = device.call(VIDIOC_REQBUFS, buffers);
    return result < 0 ? result : static_cast<int>(buffers.count);
}

int queue(V4l2Device& device, unsigned number, std::span<std::uint8_t> memory) noexcept {
    v4l2_buffer buffer = blank(V4L2_MEMORY_USERPTR, number);
    buffer.m.userptr = reinterpret_cast<unsigned long>(memory.data());
    buffer.length = static_cast<std::uint32_t>(memory.size());
    return device.call(VIDIOC_QBUF, buffer);
}

std::uint32_t stamp_flags_of(V4l2Device& device, v4l2_memory memory) noexcept {
    v4l2_buffer buffer = blank(memory);
    return device.call(VIDIOC_QUERYBUF, buffer) < 0 ? 0 : buffer.flags;
}

std::int64_t ns_of(const timeval& time) noexcept {
    return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_usec * std::int64_t{1'000};
}

int dequeue(V4l2Device& device, v4l2_memory memory, V4l2Filled& filled, std::uint32_t& used) noexcept {
    v4l2_buffer buffer = blank(memory);
    const int result = device.call(VIDIOC_DQBUF, buffer);
    filled.number = buffer.index;
    filled.flags = buffer.flags;
    filled.sequence = buffer.sequence;
    filled.timestamp_ns = ns_of(buffer.timestamp);
    used = buffer.bytesused;
    return result < 0 ? result : 0;
}

void stream_on(V4l2Device& device) {
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    device.demand(VIDIOC_STREAMON, type, "start it");
}

void stream_off(V4l2Device& device) noexcept {
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    static_cast<void>(device.call(VIDIOC_STREAMOFF, type));
}

// Buffers are granted, handed to the driver and taken away again in the same steps, whoever owns their
// memory.
class GrantedStream : public V4l2Stream {
  public:
    void start() override {
        const int granted = request(device_, memory_, wanted_);
        if (granted < 0) device_.refuse("reserve its buffers", -granted);
        running_ = true;
        try {
            hand_over_all(granted);
            stream_on(device_);
        } catch (...) {
            halt();
            throw;
        }
    }
    void stop() noexcept override { halt(); }
    [[nodiscard]] std::uint32_t stamp_flags() const noexcept override { return stamp_flags_; }

  protected:
    GrantedStream(V4l2Device& device, v4l2_memory memory, int wanted)
        : device_(device), memory_(memory), wanted_(wanted) {}

    virtual void hand_over_all(int granted) = 0;
    virtual void let_go() noexcept {}  // after the stream has ended, before the buffers are taken away

    void halt() noexcept {
        if (!running_) return;
        running_ = false;
        stream_off(device_);
        let_go();
        static_cast<void>(request(device_, memory_, 0));
    }
    [[nodiscard]] bool running() const noexcept { return running_; }
    [[nodiscard]] V4l2Device& device() noexcept { return device_; }
    void set_stamp_flags(std::uint32_t flags) noexcept { stamp_flags_ = flags; }

  private:
    V4l2Device& device_;
    v4l2_memory memory_;
    int wanted_;
    bool running_ = false;
    std::uint32_t stamp_flags_ = 0;
};

// What is lent before the start, or beyond the driver's numbers, waits.
class UserStream final : public GrantedStream {
  public:
    UserStream(V4l2Device& device, std::size_t buffer_bytes)
        : GrantedStream(device, V4L2_MEMORY_USERPTR, V4l2Numbers::most), buffer_bytes_(buffer_bytes) {}
    ~UserStream() override { halt(); }

    bool lend(int slot, std::span<std::uint8_t> pixels) noexcept override {
        if (slot < 0 || slot >= most_slots || pixels.size() < buffer_bytes_) return false;
        lent_[static_cast<std::size_t>(slot)] = pixels;
        return !running() || hand_over(slot) >= 0;
    }

    void stop() noexcept override {
        lent_.fill({});
        halt();
    }

    int take(V4l2Filled& filled) noexcept override {
        if (numbers_.held() == 0) return -EAGAIN;
        std::uint32_t used = 0;
        if (const int result = dequeue(device(), V4L2_MEMORY_USERPTR, filled, used); result < 0)
            return result;
        filled.slot = numbers_.give_back(filled.number);
        if (filled.slot < 0) return -EIO;
        std::span<std::uint8_t>& memory = lent_[static_cast<std::size_t>(filled.slot)];
        filled.bytes = memory.first(std::min<std::size_t>(used, memory.size()));
        memory = {};
        return 0;
    }

    int give_back(const V4l2Filled&) noexcept override { return 0; }

  private:
    void hand_over_all(int granted) override {
        numbers_.reset(std::min(granted, V4l2Numbers::most));
        set_stamp_flags(stamp_flags_of(device(), V4L2_MEMORY_USERPTR));
        for (int slot = 0; slot < most_slots; ++slot) {
            if (lent_[static_cast<std::size_t>(slot)].empty()) continue;
            if (const int result = hand_over(slot); result < 0)
                device().refuse("hand it a frame's memory", -result);
        }
    }
    int hand_over(int slot) noexcept {
        const int number = numbers_.take(slot);
        if (number < 0) return -ENOBUFS;
        const int result =
            queue(device(), static_cast<unsigned>(number), lent_[static_cast<std::size_t>(slot)]);
        if (result < 0) numbers_.give_back(static_cast<unsigned>(number));
        return result;
    }

    std::size_t buffer_bytes_;
    V4l2Numbers numbers_;
    std::array<std::span<std::uint8_t>, most_slots> lent_{};
};

class MappedStream final : public GrantedStream {
  public:
    MappedStream(V4l2Device& device, int buffers) : GrantedStream(device, V4L2_MEMORY_MMAP, buffers) {
        mapped_.reserve(V4l2Numbers::most);
    }
    ~MappedStream() override { halt(); }

    bool lend(int, std::span<std::uint8_t>) noexcept override { return true; }

    int take(V4l2Filled& filled) noexcept override {
        std::uint32_t used = 0;
        if (const int result = dequeue(device(), V4L2_MEMORY_MMAP, filled, used); result < 0) return result;
        if (filled.number >= mapped_.size()) return -EIO;
        const std::span<std::uint8_t> memory = mapped_[filled.number];
        filled.bytes = memory.first(std::min<std::size_t>(used, memory.size()));
        return 0;
    }

    int give_back(const V4l2Filled& filled) noexcept override {
        v4l2_buffer buffer = blank(V4L2_MEMORY_MMAP, filled.number);
        return device().call(VIDIOC_QBUF, buffer);
    }

  private:
    void hand_over_all(int granted) override {
        for (int number = 0; number < granted; ++number) map(static_cast<unsigned>(number));
        for (unsigned number = 0; number < mapped_.size(); ++number) {
            v4l2_buffer buffer = blank(V4L2_MEMORY_MMAP, number);
            device().demand(VIDIOC_QBUF, buffer, "hand it a buffer");
        }
    }
    void let_go() noexcept override {
        for (const auto& memory : mapped_) device().unmap(memory.data(), memory.size());
        mapped_.clear();
    }
    void map(unsigned number) {
        v4l2_buffer buffer = blank(V4L2_MEMORY_MMAP, number);
        device().demand(VIDIOC_QUERYBUF, buffer, "ask for its buffers");
        set_stamp_flags(buffer.flags);
        void* address = device().map(buffer.length, buffer.m.offset);
        if (address == nullptr) device().fail("its buffers cannot be mapped");
        mapped_.emplace_back(static_cast<std::uint8_t*>(address), buffer.length);
    }

    std::vector<std::span<std::uint8_t>> mapped_;
};

// Pages of our own, as slots are.
class Pages {
  public:
    explicit Pages(std::size_t bytes)
        : bytes_(bytes),
          address_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {}
    ~Pages() {
        if (address_ != MAP_FAILED) ::munmap(address_, bytes_);
    }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;
    [[nodiscard]] std::span<std::uint8_t> span() const noexcept {
        if (address_ == MAP_FAILED) return {};
        return {static_cast<std::uint8_t*>(address_), bytes_};
    }

  private:
    std::size_t bytes_;
    void* address_;
};

}  // namespace

// A driver may grant such buffers and refuse their memory when it is queued, for its hardware needs it in
// one piece.
int try_user_memory(V4l2Device& device, std::size_t buffer_bytes) {
    const Pages pages(buffer_bytes);
    const int granted = request(device, V4L2_MEMORY_USERPTR, V4l2Numbers::most);
    if (granted < 0) return granted;
    const int queued = queue(device, 0, pages.span());
    static_cast<void>(request(device, V4L2_MEMORY_USERPTR, 0));
    return queued < 0 ? queued : std::min(granted, V4l2Numbers::most);
}

std::unique_ptr<V4l2Stream> make_user_stream(V4l2Device& device, std::size_t buffer_bytes) {
    return std::make_unique<UserStream>(device, buffer_bytes);
}

std::unique_ptr<V4l2Stream> make_mapped_stream(V4l2Device& device, int buffers) {
    return std::make_unique<MappedStream>(device, buffers);
}

}  // namespace fastpose
