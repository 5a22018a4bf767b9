// What a driver answers to each request; see videodev2.h.
#include "fake_v4l2.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace fastpose::testing {
namespace {

constexpr std::size_t map_stride = 1 << 26;  // between the offsets of two buffers

template <std::size_t Size>
void put(unsigned char (&target)[Size], const std::string& text) {
    std::memset(target, 0, Size);
    std::memcpy(target, text.data(), std::min(Size - 1, text.size()));
}

int bits_per_pixel(std::uint32_t fourcc) {
    if (fourcc == V4L2_PIX_FMT_YUYV || fourcc == V4L2_PIX_FMT_Y10 || fourcc == V4L2_PIX_FMT_Y12) return 16;
    if (fourcc == V4L2_PIX_FMT_RGB24 || fourcc == V4L2_PIX_FMT_BGR24) return 24;
    return 8;
}

bool packed(std::uint32_t fourcc) { return fourcc != V4L2_PIX_FMT_MJPEG; }

void* new_memory(std::size_t bytes) {
    constexpr std::size_t page = 4096;
    return std::aligned_alloc(page, (bytes + page - 1) / page * page);
}

}  // namespace

FakeV4l2::FakeV4l2(FakeV4l2Setup setup) : setup_(std::move(setup)) {
    v4l2_format format{};
    format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    set_format(format, true);
}

FakeV4l2::~FakeV4l2() { free_buffers(); }

int FakeV4l2::open() {
    const std::lock_guard lock(mutex_);
    if (unplugged_) return -ENODEV;
    ++open_;
    return 0;
}

void FakeV4l2::close() {
    const std::lock_guard lock(mutex_);
    if (--open_ > 0) return;
    stop();
    free_buffers();
}

int FakeV4l2::control(unsigned long request, void* argument) {
    const std::lock_guard lock(mutex_);
    return unplugged_ ? -ENODEV : answer(request, argument);
}

int FakeV4l2::answer(unsigned long request, void* argument) {
    switch (static_cast<std::uint32_t>(request)) {
        case VIDIOC_QUERYCAP: {
            auto& capability = *static_cast<v4l2_capability*>(argument);
            capability = {};
            put(capability.card, setup_.card);
            put(capability.driver, setup_.driver);
            put(capability.bus_info, setup_.bus);
            capability.version = 0x060000;
            capability.device_caps = setup_.capabilities;
            capability.capabilities = setup_.capabilities | V4L2_CAP_DEVICE_CAPS;
            return 0;
        }
        case VIDIOC_ENUM_FMT:
            return list_format(*static_cast<v4l2_fmtdesc*>(argument));
        case VIDIOC_ENUM_FRAMESIZES:
            return list_size(*static_cast<v4l2_frmsizeenum*>(argument));
        case VIDIOC_ENUM_FRAMEINTERVALS:
            return list_period(*static_cast<v4l2_frmivalenum*>(argument));
        case VIDIOC_G_FMT:
            static_cast<v4l2_format*>(argument)->fmt.pix = format_;
            return 0;
        case VIDIOC_S_FMT:
            return set_format(*static_cast<v4l2_format*>(argument), true);
        case VIDIOC_TRY_FMT:
            return set_format(*static_cast<v4l2_format*>(argument), false);
        case VIDIOC_G_PARM:
            return set_period(*static_cast<v4l2_streamparm*>(argument), false);
        case VIDIOC_S_PARM:
            return set_period(*static_cast<v4l2_streamparm*>(argument), true);
        case VIDIOC_QUERY_EXT_CTRL:
            return describe_control(*static_cast<v4l2_query_ext_ctrl*>(argument));
        case VIDIOC_QUERYMENU:
            return describe_menu(*static_cast<v4l2_querymenu*>(argument));
        case VIDIOC_G_CTRL:
            return read_control(*static_cast<v4l2_control*>(argument));
        case VIDIOC_S_CTRL:
            return write_control(*static_cast<v4l2_control*>(argument));
        case VIDIOC_G_INPUT:
            *static_cast<int*>(argument) = 0;
            return 0;
        case VIDIOC_S_INPUT:
            return *static_cast<int*>(argument) == 0 ? 0 : -EINVAL;
        case VIDIOC_ENUMINPUT: {
            auto& input = *static_cast<v4l2_input*>(argument);
            if (input.index != 0) return -EINVAL;
            input = {};
            put(input.name, "Camera");
            input.type = V4L2_INPUT_TYPE_CAMERA;
            return 0;
        }
        case VIDIOC_REQBUFS:
            return request_buffers(*static_cast<v4l2_requestbuffers*>(argument));
        case VIDIOC_QUERYBUF:
            return describe_buffer(*static_cast<v4l2_buffer*>(argument));
        case VIDIOC_QBUF:
            return queue_buffer(*static_cast<v4l2_buffer*>(argument));
        case VIDIOC_DQBUF:
            return dequeue_buffer(*static_cast<v4l2_buffer*>(argument));
        case VIDIOC_STREAMON:
            return start();
        case VIDIOC_STREAMOFF:
            return stop();
        default:
            return -ENOTTY;
    }
}

int FakeV4l2::set_format(v4l2_format& format, bool keep) {
    v4l2_pix_format& pix = format.fmt.pix;
    const auto distance = [&](const FakeV4l2Mode& mode) {
        const int off = std::abs(mode.width - static_cast<int>(pix.width)) +
                        std::abs(mode.height - static_cast<int>(pix.height));
        return off + (mode.fourcc == pix.pixelformat ? 0 : 1 << 20);
    };
    const auto mode =
        std::min_element(setup_.modes.begin(), setup_.modes.end(),
                         [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
    if (keep && !buffers_.empty()) return -EBUSY;
    pix = {};
    pix.width = static_cast<std::uint32_t>(mode->width);
    pix.height = static_cast<std::uint32_t>(mode->height);
    pix.pixelformat = mode->fourcc;
    pix.field = V4L2_FIELD_NONE;
    pix.colorspace = V4L2_COLORSPACE_SRGB;
    const std::uint32_t row = pix.width * static_cast<std::uint32_t>(bits_per_pixel(mode->fourcc)) / 8;
    pix.bytesperline = packed(mode->fourcc) ? row + setup_.padding_bytes : 0;
    pix.sizeimage = packed(mode->fourcc) ? pix.bytesperline * pix.height : 2 * pix.width * pix.height;
    if (mode->fourcc == V4L2_PIX_FMT_NV12) pix.sizeimage += pix.sizeimage / 2;
    if (keep) format_ = pix;
    if (keep && !mode->periods.empty()) period_ = mode->periods.front();
    return 0;
}

int FakeV4l2::list_format(v4l2_fmtdesc& entry) const {
    std::vector<std::uint32_t> formats;
    for (const FakeV4l2Mode& mode : setup_.modes)
        if (std::find(formats.begin(), formats.end(), mode.fourcc) == formats.end())
            formats.push_back(mode.fourcc);
    if (entry.index >= formats.size()) return -EINVAL;
    entry.pixelformat = formats[entry.index];
    entry.flags = packed(entry.pixelformat) ? 0 : V4L2_FMT_FLAG_COMPRESSED;
    put(entry.description, "a format");
    return 0;
}

int FakeV4l2::list_size(v4l2_frmsizeenum& entry) const {
    std::uint32_t left = entry.index;
    for (const FakeV4l2Mode& mode : setup_.modes) {
        if (mode.fourcc != entry.pixel_format || left-- != 0) continue;
        entry.type = V4L2_FRMSIZE_TYPE_DISCRETE;
        entry.discrete = {static_cast<std::uint32_t>(mode.width), static_cast<std::uint32_t>(mode.height)};
        return 0;
    }
    return -EINVAL;
}

int FakeV4l2::list_period(v4l2_frmivalenum& entry) const {
    for (const FakeV4l2Mode& mode : setup_.modes) {
        if (mode.fourcc != entry.pixel_format || mode.width != static_cast<int>(entry.width) ||
            mode.height != static_cast<int>(entry.height) || entry.index >= mode.periods.size())
            continue;
        entry.type = V4L2_FRMIVAL_TYPE_DISCRETE;
        entry.discrete = mode.periods[entry.index];
        return 0;
    }
    return -EINVAL;
}

int FakeV4l2::set_period(v4l2_streamparm& parameters, bool keep) {
    const auto mode = std::find_if(setup_.modes.begin(), setup_.modes.end(), [&](const FakeV4l2Mode& m) {
        return m.fourcc == format_.pixelformat && m.width == static_cast<int>(format_.width) &&
               m.height == static_cast<int>(format_.height);
    });
    v4l2_fract& asked = parameters.parm.capture.timeperframe;
    if (keep && !mode->periods.empty() && asked.denominator > 0) {
        const auto seconds = [](const v4l2_fract& f) {
            return static_cast<double>(f.numerator) / f.denominator;
        };
        const double wanted = seconds(asked);
        period_ =
            *std::min_element(mode->periods.begin(), mode->periods.end(), [&](const auto& a, const auto& b) {
                return std::abs(seconds(a) - wanted) < std::abs(seconds(b) - wanted);
            });
    }
    parameters.parm.capture = {};
    parameters.parm.capture.capability = mode->periods.empty() ? 0 : V4L2_CAP_TIMEPERFRAME;
    asked = period_;
    return 0;
}

const FakeV4l2Control* FakeV4l2::find(std::uint32_t id) const {
    for (const FakeV4l2Control& control : setup_.controls)
        if (control.id == id) return &control;
    return nullptr;
}

FakeV4l2Control* FakeV4l2::find(std::uint32_t id) {
    return const_cast<FakeV4l2Control*>(std::as_const(*this).find(id));
}

int FakeV4l2::describe_control(v4l2_query_ext_ctrl& query) const {
    const std::uint32_t id = query.id & V4L2_CTRL_ID_MASK;
    const bool next = (query.id & V4L2_CTRL_FLAG_NEXT_CTRL) != 0;
    const FakeV4l2Control* found = nullptr;
    for (const FakeV4l2Control& control : setup_.controls) {
        const bool fits = next ? control.id > id : control.id == id;
        if (fits && (found == nullptr || control.id < found->id)) found = &control;
    }
    if (found == nullptr) return -EINVAL;
    query = {};
    query.id = found->id;
    query.type = found->type;
    std::strncpy(query.name, found->name, sizeof query.name - 1);
    query.minimum = found->minimum;
    query.maximum = found->maximum;
    query.step = static_cast<std::uint64_t>(found->step);
    query.flags = found->flags;
    return 0;
}

int FakeV4l2::describe_menu(v4l2_querymenu& query) const {
    const FakeV4l2Control* control = find(query.id);
    if (control == nullptr || query.index >= control->menu.size() || control->menu[query.index] == nullptr)
        return -EINVAL;
    std::memset(query.name, 0, sizeof query.name);
    std::memcpy(query.name, control->menu[query.index], std::strlen(control->menu[query.index]));
    return 0;
}

int FakeV4l2::read_control(v4l2_control& control) const {
    const FakeV4l2Control* found = find(control.id);
    if (found == nullptr) return -EINVAL;
    control.value = found->value;
    return 0;
}

int FakeV4l2::write_control(const v4l2_control& control) {
    FakeV4l2Control* found = find(control.id);
    if (found == nullptr) return -EINVAL;
    if ((found->flags & V4L2_CTRL_FLAG_READ_ONLY) != 0) return -EACCES;
    if ((found->flags & V4L2_CTRL_FLAG_INACTIVE) != 0) return 0;  // taken, and without effect
    const int clamped = std::clamp(control.value, found->minimum, found->maximum);
    found->value = found->minimum + (clamped - found->minimum) / found->step * found->step;
    if (found->id == V4L2_CID_EXPOSURE_AUTO)
        if (FakeV4l2Control* exposure = find(V4L2_CID_EXPOSURE_ABSOLUTE))
            exposure->flags = found->value == V4L2_EXPOSURE_MANUAL ? 0 : V4L2_CTRL_FLAG_INACTIVE;
    return 0;
}

void FakeV4l2::free_buffers() {
    if (memory_ == V4L2_MEMORY_MMAP)
        for (const Buffer& buffer : buffers_) std::free(buffer.address);
    buffers_.clear();
    queued_.clear();
    done_.clear();
}

int FakeV4l2::request_buffers(v4l2_requestbuffers& request) {
    const bool user = request.memory == V4L2_MEMORY_USERPTR;
    if (user ? !setup_.takes_user_memory : request.memory != V4L2_MEMORY_MMAP || !setup_.maps_memory)
        return -EINVAL;
    if (streaming_) return -EBUSY;
    free_buffers();
    memory_ = request.memory;
    request.count = std::min(request.count, static_cast<std::uint32_t>(setup_.most_buffers));
    buffers_.resize(request.count);
    for (Buffer& buffer : buffers_) {
        if (user) continue;
        buffer.bytes = format_.sizeimage;
        buffer.address = new_memory(buffer.bytes);
    }
    return 0;
}

int FakeV4l2::describe_buffer(v4l2_buffer& buffer) const {
    if (buffer.index >= buffers_.size()) return -EINVAL;
    buffer.flags = setup_.stamps;
    buffer.length = format_.sizeimage;
    if (memory_ == V4L2_MEMORY_MMAP) buffer.m.offset = static_cast<std::uint32_t>(buffer.index * map_stride);
    return 0;
}

void* FakeV4l2::map(std::size_t bytes, std::int64_t offset) {
    const std::lock_guard lock(mutex_);
    const std::size_t number = static_cast<std::size_t>(offset) / map_stride;
    if (number >= buffers_.size() || bytes > buffers_[number].bytes) return nullptr;
    ++maps_;
    return buffers_[number].address;
}

int FakeV4l2::queue_buffer(v4l2_buffer& buffer) {
    if (buffer.index >= buffers_.size() || buffers_[buffer.index].queued || buffer.memory != memory_)
        return -EINVAL;
    Buffer& ours = buffers_[buffer.index];
    if (memory_ == V4L2_MEMORY_USERPTR) {
        auto* address = reinterpret_cast<void*>(buffer.m.userptr);
        if (setup_.needs_one_piece || address == nullptr) return -EFAULT;
        if (buffer.length < format_.sizeimage) return -EINVAL;
        new_addresses_ += address == ours.address ? 0 : 1;
        ours.address = address;
        ours.bytes = buffer.length;
    }
    ours.queued = true;
    queued_.push_back(buffer.index);
    return 0;
}

int FakeV4l2::dequeue_buffer(v4l2_buffer& buffer) {
    if (!streaming_) return -EINVAL;
    if (done_.empty()) return -EAGAIN;
    const unsigned number = done_.front();
    done_.erase(done_.begin());
    Buffer& ours = buffers_[number];
    ours.queued = false;
    buffer = ours.told;
    if (memory_ == V4L2_MEMORY_USERPTR) buffer.m.userptr = reinterpret_cast<unsigned long>(ours.address);
    return 0;
}

int FakeV4l2::start() {
    if (refuse_start_with != 0) return -refuse_start_with;
    if (buffers_.empty()) return -EINVAL;
    streaming_ = true;
    sequence_ = 0;
    if (on_start) on_start();
    return 0;
}

int FakeV4l2::stop() {
    if (streaming_ && on_stop) on_stop();
    streaming_ = false;
    for (Buffer& buffer : buffers_) buffer.queued = false;
    queued_.clear();
    done_.clear();
    return 0;
}

std::uint32_t FakeV4l2::paint(const Buffer& buffer) const {
    auto* row = static_cast<std::uint8_t*>(buffer.address);
    if (!packed(format_.pixelformat)) {
        const auto& jpeg = setup_.jpegs[sequence_ % setup_.jpegs.size()];
        std::memcpy(row, jpeg.data(), jpeg.size());
        return static_cast<std::uint32_t>(jpeg.size());
    }
    const int elements = static_cast<int>(format_.bytesperline - setup_.padding_bytes);
    const bool wide = format_.pixelformat == V4L2_PIX_FMT_Y10 || format_.pixelformat == V4L2_PIX_FMT_Y12;
    const bool pairs = wide || format_.pixelformat == V4L2_PIX_FMT_YUYV;
    for (int y = 0; y < static_cast<int>(format_.height); ++y, row += format_.bytesperline) {
        if (!pairs)
            for (int x = 0; x < elements; ++x) row[x] = fake_pixel(x, y, sequence_);
        else
            for (int x = 0; x < elements / 2; ++x) {
                row[2 * x] = fake_pixel(x, y, sequence_);
                row[2 * x + 1] = static_cast<std::uint8_t>(wide ? x & 3 : 128);
            }
    }
    if (format_.pixelformat == V4L2_PIX_FMT_NV12) std::memset(row, 128, format_.sizeimage / 3);
    return format_.sizeimage;
}

bool FakeV4l2::expose(std::int64_t stamp_ns, FakeFault fault) {
    const std::lock_guard lock(mutex_);
    if (!streaming_ || unplugged_) return false;
    ++exposed_;
    if (queued_.empty()) {
        ++sequence_;
        return false;
    }
    const unsigned number = queued_.front();
    queued_.erase(queued_.begin());
    Buffer& buffer = buffers_[number];
    buffer.told = {};
    buffer.told.index = number;
    buffer.told.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    buffer.told.memory = memory_;
    buffer.told.field = V4L2_FIELD_NONE;
    buffer.told.length = static_cast<std::uint32_t>(buffer.bytes);
    buffer.told.bytesused = paint(buffer) / (fault == FakeFault::cut_short ? 2 : 1);
    buffer.told.flags = setup_.stamps | (fault == FakeFault::marked_bad ? V4L2_BUF_FLAG_ERROR : 0);
    buffer.told.sequence = setup_.counts_frames ? sequence_ : 0;
    buffer.told.timestamp = {stamp_ns / 1'000'000'000, stamp_ns % 1'000'000'000 / 1000};
    filled_.push_back({buffer.address, memory_ == V4L2_MEMORY_USERPTR, number, sequence_});
    done_.push_back(number);
    ++sequence_;
    return true;
}

void FakeV4l2::lose(int frames) {
    const std::lock_guard lock(mutex_);
    sequence_ += static_cast<std::uint32_t>(frames);
    exposed_ += frames;
}

void FakeV4l2::unplug() {
    const std::lock_guard lock(mutex_);
    unplugged_ = true;
}

void FakeV4l2::plug_in() {
    const std::lock_guard lock(mutex_);
    unplugged_ = false;
}

void FakeV4l2::set_sequence(std::uint32_t next) {
    const std::lock_guard lock(mutex_);
    sequence_ = next;
}

bool FakeV4l2::frame_waits() const {
    const std::lock_guard lock(mutex_);
    return unplugged_ || !done_.empty();
}

bool FakeV4l2::streaming() const {
    const std::lock_guard lock(mutex_);
    return streaming_;
}

double FakeV4l2::period_s() const {
    const std::lock_guard lock(mutex_);
    return static_cast<double>(period_.numerator) / period_.denominator;
}

int FakeV4l2::value_of(const char* control) const {
    const std::lock_guard lock(mutex_);
    for (const FakeV4l2Control& candidate : setup_.controls)
        if (std::strcmp(candidate.name, control) == 0) return candidate.value;
    return -1;
}

std::vector<FakeV4l2::Filled> FakeV4l2::filled() const {
    const std::lock_guard lock(mutex_);
    return filled_;
}

int FakeV4l2::new_addresses() const {
    const std::lock_guard lock(mutex_);
    return new_addresses_;
}

int FakeV4l2::maps() const {
    const std::lock_guard lock(mutex_);
    return maps_;
}

std::int64_t FakeV4l2::exposed() const {
    const std::lock_guard lock(mutex_);
    return exposed_;
}

bool FakeV4l2::owns(const void* address) const {
    const std::lock_guard lock(mutex_);
    return memory_ == V4L2_MEMORY_MMAP &&
           std::any_of(buffers_.begin(), buffers_.end(),
                       [&](const Buffer& buffer) { return buffer.address == address; });
}

int FakeV4l2::is_open() const {
    const std::lock_guard lock(mutex_);
    return open_;
}

}  // namespace fastpose::testing
