// A V4L2 device in memory: formats, controls, buffers and faults as drivers have them. Behind the call table
// in C++ tests, and behind the system's calls in a preloaded library.
#pragma once
#include <linux/videodev2.h>

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace fastpose::testing {

struct FakeV4l2Mode {
    std::uint32_t fourcc = V4L2_PIX_FMT_GREY;
    int width = 64, height = 48;                         // px
    std::vector<v4l2_fract> periods{{1, 100}, {1, 50}};  // s
};

struct FakeV4l2Control {
    std::uint32_t id = 0, type = V4L2_CTRL_TYPE_INTEGER;
    const char* name = "";
    int minimum = 0, maximum = 255, step = 1, value = 0;
    std::vector<const char*> menu{};
    std::uint32_t flags = 0;
};

struct FakeV4l2Setup {
    std::string card = "Fake Camera", driver = "fake", bus = "usb-fake-1";
    std::uint32_t capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    std::vector<FakeV4l2Mode> modes{{}};
    std::vector<FakeV4l2Control> controls;
    bool takes_user_memory = true;
    bool needs_one_piece = false;  // grants user buffers, but refuses their memory
    bool maps_memory = true;
    int most_buffers = 32;
    std::uint32_t padding_bytes = 0;  // behind each row
    std::uint32_t stamps = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC | V4L2_BUF_FLAG_TSTAMP_SRC_SOE;
    bool counts_frames = true;
    std::vector<std::vector<std::uint8_t>> jpegs;  // of MJPG, in turn
};

enum class FakeFault { none, marked_bad, cut_short };

// The value of a (luma) pixel of the frame with this sequence number.
constexpr std::uint8_t fake_pixel(int x, int y, std::uint32_t sequence) {
    return static_cast<std::uint8_t>(static_cast<std::uint32_t>(x + 2 * y) + 3 * sequence);
}

// Thread-safe. Calls return 0 or more, or -errno.
class FakeV4l2 {
  public:
    explicit FakeV4l2(FakeV4l2Setup setup = {});
    ~FakeV4l2();
    FakeV4l2(const FakeV4l2&) = delete;
    FakeV4l2& operator=(const FakeV4l2&) = delete;

    int open();
    void close();
    int control(unsigned long request, void* argument);
    void* map(std::size_t bytes, std::int64_t offset);

    // One exposure; false: no buffer was there for it, so that only its number is missing.
    bool expose(std::int64_t stamp_ns, FakeFault fault = FakeFault::none);
    void lose(int frames);  // exposures that never reach the host
    void unplug();
    void plug_in();
    void set_sequence(std::uint32_t next);

    [[nodiscard]] bool frame_waits() const;  // or an error
    [[nodiscard]] bool streaming() const;
    [[nodiscard]] double period_s() const;
    [[nodiscard]] int value_of(const char* control) const;

    // What was filled, in order, and what was asked of the device.
    struct Filled {
        const void* address = nullptr;
        bool user_memory = false;
        unsigned number = 0;
        std::uint32_t sequence = 0;
    };
    [[nodiscard]] std::vector<Filled> filled() const;
    [[nodiscard]] int new_addresses() const;  // times that a number came with other memory than before
    [[nodiscard]] int maps() const;
    [[nodiscard]] std::int64_t exposed() const;
    [[nodiscard]] bool owns(const void* address) const;  // memory of a buffer of its own
    [[nodiscard]] int is_open() const;
    int refuse_start_with = 0;                // errno of VIDIOC_STREAMON
    std::function<void()> on_start, on_stop;  // called with the lock held

  private:
    struct Buffer {
        void* address = nullptr;  // user memory, or of our own
        std::size_t bytes = 0;
        v4l2_buffer told{};
        bool queued = false;
    };

    int answer(unsigned long request, void* argument);
    int set_format(v4l2_format& format, bool keep);
    int list_format(v4l2_fmtdesc& entry) const;
    int list_size(v4l2_frmsizeenum& entry) const;
    int list_period(v4l2_frmivalenum& entry) const;
    int set_period(v4l2_streamparm& parameters, bool keep);
    int describe_control(v4l2_query_ext_ctrl& query) const;
    int describe_menu(v4l2_querymenu& query) const;
    int read_control(v4l2_control& control) const;
    int write_control(const v4l2_control& control);
    int request_buffers(v4l2_requestbuffers& request);
    int describe_buffer(v4l2_buffer& buffer) const;
    int queue_buffer(v4l2_buffer& buffer);
    int dequeue_buffer(v4l2_buffer& buffer);
    int start();
    int stop();
    void free_buffers();
    std::uint32_t paint(const Buffer& buffer) const;
    FakeV4l2Control* find(std::uint32_t id);
    [[nodiscard]] const FakeV4l2Control* find(std::uint32_t id) const;

    FakeV4l2Setup setup_;
    mutable std::mutex mutex_;
    v4l2_pix_format format_{};
    v4l2_fract period_{1, 100};
    std::uint32_t memory_ = 0;
    std::vector<Buffer> buffers_;
    std::vector<unsigned> queued_, done_;
    std::vector<Filled> filled_;
    std::uint32_t sequence_ = 0;
    bool streaming_ = false, unplugged_ = false;
    std::int64_t exposed_ = 0;
    int new_addresses_ = 0, maps_ = 0, open_ = 0;
};

}  // namespace fastpose::testing
