// A V4L2 device for whole programs: loaded ahead of the system's library (LD_PRELOAD), it answers for one
// path.
//
// FAKE_V4L2_PATH        the device file
// FAKE_V4L2_MODES       as "GREY:640x480@100,50;MJPG:1280x720@30"; default GREY:640x480@100
// FAKE_V4L2_JPEGS       files that an MJPG mode sends in turn, separated by ':'
// FAKE_V4L2_NO_USERPTR  set: takes no memory of the program
// FAKE_V4L2_STAMPS      soe (default), eof, unknown
// FAKE_V4L2_BAD_EVERY, FAKE_V4L2_CUT_EVERY, FAKE_V4L2_LOSE_EVERY   every how many frames that happens
// FAKE_V4L2_UNPLUGGED   while this file exists, the device is gone
// FAKE_V4L2_LOG         file that gets a line of JSON at each stop
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "fake_v4l2.h"

namespace {

using fastpose::testing::FakeFault;
using fastpose::testing::FakeV4l2;
using fastpose::testing::FakeV4l2Mode;
using fastpose::testing::FakeV4l2Setup;

constexpr std::int64_t ns_per_s = 1'000'000'000, transfer_ns = 2'000'000;
constexpr int most_descriptors = 65536;

std::string setting(const char* name, const char* otherwise = "") {
    const char* value = std::getenv(name);
    return value != nullptr ? value : otherwise;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
    return parts;
}

// "GREY:640x480@100,50"
FakeV4l2Mode mode_from(const std::string& text) {
    FakeV4l2Mode mode;
    char fourcc[5] = "    ";
    std::sscanf(text.c_str(), "%4[^:]:%dx%d", fourcc, &mode.width, &mode.height);
    mode.fourcc = v4l2_fourcc(fourcc[0], fourcc[1], fourcc[2], fourcc[3]);
    mode.periods.clear();
    const std::size_t at = text.find('@');
    if (at == std::string::npos) return mode;
    for (const std::string& rate : split(text.substr(at + 1), ','))
        mode.periods.push_back({1000, static_cast<std::uint32_t>(1000 * std::stod(rate))});
    return mode;
}

std::uint32_t stamps_from(const std::string& name) {
    if (name == "unknown") return V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN;
    return V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC |
           (name == "eof" ? V4L2_BUF_FLAG_TSTAMP_SRC_EOF : V4L2_BUF_FLAG_TSTAMP_SRC_SOE);
}

FakeV4l2Setup setup_from_environment() {
    FakeV4l2Setup setup;
    setup.modes.clear();
    for (const std::string& mode : split(setting("FAKE_V4L2_MODES", "GREY:640x480@100"), ';'))
        setup.modes.push_back(mode_from(mode));
    for (const std::string& path : split(setting("FAKE_V4L2_JPEGS"), ':')) {
        std::ifstream file(path, std::ios::binary);
        setup.jpegs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    setup.takes_user_memory = setting("FAKE_V4L2_NO_USERPTR").empty();
    setup.stamps = stamps_from(setting("FAKE_V4L2_STAMPS"));
    setup.controls = {{V4L2_CID_BRIGHTNESS, V4L2_CTRL_TYPE_INTEGER, "Brightness", 0, 255, 1, 128},
                      {V4L2_CID_EXPOSURE_AUTO,
                       V4L2_CTRL_TYPE_MENU,
                       "Auto Exposure",
                       0,
                       3,
                       1,
                       3,
                       {"Auto Mode", "Manual Mode", "Shutter Priority Mode", "Aperture Priority Mode"}},
                      {V4L2_CID_EXPOSURE_ABSOLUTE,
                       V4L2_CTRL_TYPE_INTEGER,
                       "Exposure Time, Absolute",
                       1,
                       5000,
                       1,
                       156,
                       {},
                       V4L2_CTRL_FLAG_INACTIVE}};
    return setup;
}

std::int64_t now_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * ns_per_s + time.tv_nsec;
}

void sleep_until(std::int64_t deadline_ns) {
    const timespec time{deadline_ns / ns_per_s, deadline_ns % ns_per_s};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

template <typename Function>
Function* next_function(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// The device and the thread that exposes frames on it.
class Fake {
  public:
    Fake()
        : path_(setting("FAKE_V4L2_PATH")),
          gone_(setting("FAKE_V4L2_UNPLUGGED")),
          device_(setup_from_environment()) {
        device_.on_start = [this] { begin(); };
        device_.on_stop = [this] { exposing_.store(false); };
    }

    [[nodiscard]] bool is(const char* path) const { return !path_.empty() && path_ == path; }
    [[nodiscard]] bool owns(int fd) const { return fd >= 0 && fd < most_descriptors && ours_[fd].load(); }

    int open(int flags) {
        look_at_cable();
        if (const int result = device_.open(); result < 0) return fail(-result);
        const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE | EFD_NONBLOCK);
        ours_[fd].store(true);
        blocks_[fd].store((flags & O_NONBLOCK) == 0);
        return fd;
    }

    void close(int fd) {
        ours_[fd].store(false);
        device_.close();
        join();
    }

    int control(int fd, unsigned long request, void* argument) {
        const auto code = static_cast<std::uint32_t>(request);
        if (code == VIDIOC_STREAMON) streaming_fd_.store(fd);
        if (code == VIDIOC_DQBUF && blocks_[fd].load()) wait(fd);
        const int result = device_.control(request, argument);
        if (code == VIDIOC_DQBUF && result == 0) take_token(fd);
        if (code == VIDIOC_STREAMOFF) end(fd);
        return result < 0 ? fail(-result) : result;
    }

    void* map(std::size_t bytes, std::int64_t offset) { return device_.map(bytes, offset); }
    // Memory of the device's buffers goes with them.
    [[nodiscard]] bool is_buffer(const void* address) { return device_.owns(address); }

  private:
    static int fail(int error) {
        errno = error;
        return -1;
    }
    static void wait(int fd) {
        pollfd request{fd, POLLIN, 0};
        ::poll(&request, 1, 5000);
    }
    static void take_token(int fd) {
        std::uint64_t token = 0;
        if (::read(fd, &token, sizeof token) < 0) errno = 0;
    }
    static void give_token(int fd) {
        const std::uint64_t token = 1;
        if (::write(fd, &token, sizeof token) < 0) errno = 0;
    }

    bool look_at_cable() {
        const bool gone = !gone_.empty() && ::access(gone_.c_str(), F_OK) == 0;
        gone ? device_.unplug() : device_.plug_in();
        return !gone;
    }

    void begin() {
        join();
        exposing_.store(true);
        thread_ = std::thread([this, fd = streaming_fd_.load()] { expose(fd); });
    }
    void end(int fd) {
        join();
        while (true) {
            pollfd request{fd, POLLIN, 0};
            if (::poll(&request, 1, 0) <= 0) break;
            take_token(fd);
        }
        write_log();
    }
    void join() {
        exposing_.store(false);
        if (thread_.joinable()) thread_.join();
    }

    void expose(int fd) {
        const auto period_ns = static_cast<std::int64_t>(1e9 * device_.period_s());
        std::int64_t due_ns = now_ns() + period_ns;
        for (int n = 1; exposing_.load(); ++n, due_ns += period_ns) {
            sleep_until(due_ns);
            if (!exposing_.load()) return;
            if (!look_at_cable()) {
                give_token(fd);  // wakes who waits, to be told
                continue;
            }
            if (happens("FAKE_V4L2_LOSE_EVERY", n)) {
                device_.lose(1);
            } else if (device_.expose(due_ns - transfer_ns, fault_of(n))) {
                give_token(fd);
            }
        }
    }
    static bool happens(const char* name, int n) {
        const int every = std::atoi(setting(name, "0").c_str());
        return every > 0 && n % every == 0;
    }
    static FakeFault fault_of(int n) {
        if (happens("FAKE_V4L2_BAD_EVERY", n)) return FakeFault::marked_bad;
        return happens("FAKE_V4L2_CUT_EVERY", n) ? FakeFault::cut_short : FakeFault::none;
    }

    void write_log() const {
        const std::string path = setting("FAKE_V4L2_LOG");
        if (path.empty()) return;
        const auto filled = device_.filled();
        const auto user =
            std::count_if(filled.begin(), filled.end(), [](const auto& f) { return f.user_memory; });
        std::ofstream(path, std::ios::app)
            << "{\"filled\": " << filled.size() << ", \"user_memory\": " << user
            << ", \"maps\": " << device_.maps() << ", \"exposed\": " << device_.exposed() << "}\n";
    }

    std::string path_, gone_;
    FakeV4l2 device_;
    std::atomic<bool> ours_[most_descriptors]{}, blocks_[most_descriptors]{};
    std::atomic<bool> exposing_{false};
    std::atomic<int> streaming_fd_{-1};
    std::thread thread_;
};

// Never destroyed: programs close devices while they end.
Fake& fake() {
    static Fake& instance = *new Fake;
    return instance;
}

mode_t mode_of(int flags, va_list arguments) {
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

#define FASTPOSE_OPEN(name)                                                   \
    int name(const char* path, int flags, ...) {                              \
        if (fake().is(path)) return fake().open(flags);                       \
        va_list arguments;                                                    \
        va_start(arguments, flags);                                           \
        const mode_t mode = mode_of(flags, arguments);                        \
        va_end(arguments);                                                    \
        static auto* next = next_function<int(const char*, int, ...)>(#name); \
        return next(path, flags, mode);                                       \
    }
#define FASTPOSE_OPENAT(name)                                                      \
    int name(int folder, const char* path, int flags, ...) {                       \
        if (fake().is(path)) return fake().open(flags);                            \
        va_list arguments;                                                         \
        va_start(arguments, flags);                                                \
        const mode_t mode = mode_of(flags, arguments);                             \
        va_end(arguments);                                                         \
        static auto* next = next_function<int(int, const char*, int, ...)>(#name); \
        return next(folder, path, flags, mode);                                    \
    }
FASTPOSE_OPEN(open)
FASTPOSE_OPEN(open64)
FASTPOSE_OPENAT(openat)
FASTPOSE_OPENAT(openat64)

int close(int fd) {
    static auto* next = next_function<int(int)>("close");
    if (fake().owns(fd)) fake().close(fd);
    return next(fd);
}

int ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    if (fake().owns(fd)) return fake().control(fd, request, argument);
    static auto* next = next_function<int(int, unsigned long, ...)>("ioctl");
    return next(fd, request, argument);
}

void* mmap(void* address, std::size_t bytes, int protection, int flags, int fd, off_t offset) {
    if (fd >= 0 && fake().owns(fd)) {
        void* memory = fake().map(bytes, offset);
        if (memory == nullptr) errno = EINVAL;
        return memory == nullptr ? MAP_FAILED : memory;
    }
    static auto* next = next_function<void*(void*, std::size_t, int, int, int, off_t)>("mmap");
    return next(address, bytes, protection, flags, fd, offset);
}

void* mmap64(void* address, std::size_t bytes, int protection, int flags, int fd, off_t offset) {
    return mmap(address, bytes, protection, flags, fd, offset);
}

int munmap(void* address, std::size_t bytes) {
    static auto* next = next_function<int(void*, std::size_t)>("munmap");
    return fake().is_buffer(address) ? 0 : next(address, bytes);
}
}
