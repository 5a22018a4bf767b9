// Opening, naming and refusing.
#include <linux/videodev2.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "camera/v4l2_device.h"

namespace fastpose {
namespace {

std::string cameras_here() {
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/dev", ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("video")) found.push_back(entry.path().string());
    }
    if (found.empty()) return "no /dev/video* is here: check its cable";
    std::sort(found.begin(), found.end());
    std::string listed = "devices here:";
    for (const auto& path : found) listed += ' ' + path;
    return listed;
}

std::string advice(int error) {
    if (error == ENOENT || error == ENODEV || error == ENXIO) return cameras_here();
    if (error == EACCES || error == EPERM) return "add your user to the group 'video' and log in again";
    if (error == EBUSY) return "close the other program that uses it";
    if (error == ENOSPC)
        return "the USB bus has no bandwidth left: give the camera a port of its own, a smaller size, a "
               "lower rate "
               "or compression: mjpg";
    if (error == ENOTTY || error == EINVAL) return "it may be no camera, or its driver cannot do that";
    return "unplug it and plug it in again";
}

template <std::size_t Size>
std::string text_of(const unsigned char (&text)[Size]) {
    const auto* begin = reinterpret_cast<const char*>(text);
    return {begin, std::find(begin, begin + Size, '\0')};
}

}  // namespace

V4l2Device::V4l2Device(V4l2Calls& calls, std::string path) : calls_(calls), path_(std::move(path)) { open(); }

V4l2Device::~V4l2Device() { close(); }

void V4l2Device::open() {
    close();
    const int opened = calls_.open(path_.c_str());
    if (opened < 0) refuse("open it", -opened);
    fd_ = opened;
    try {
        read_identity();
    } catch (...) {
        close();
        throw;
    }
}

void V4l2Device::close() noexcept {
    if (fd_ >= 0) calls_.close(fd_);
    fd_ = -1;
}

void V4l2Device::read_identity() {
    v4l2_capability capability{};
    demand(VIDIOC_QUERYCAP, capability, "ask what it can do");
    const bool own = (capability.capabilities & V4L2_CAP_DEVICE_CAPS) != 0;
    const auto can = own ? capability.device_caps : capability.capabilities;
    if ((can & V4L2_CAP_VIDEO_CAPTURE_MPLANE) != 0 && (can & V4L2_CAP_VIDEO_CAPTURE) == 0)
        fail("it delivers frames in several planes, which is not supported; allowed: single-planar capture");
    if ((can & V4L2_CAP_VIDEO_CAPTURE) == 0)
        fail("it captures no video (it may hold a camera's metadata); try the next /dev/video*");
    if ((can & V4L2_CAP_STREAMING) == 0) fail("its driver cannot stream into buffers, which is needed");
    card_ = text_of(capability.card);
    driver_ = text_of(capability.driver);
    bus_ = text_of(capability.bus_info);
}

void V4l2Device::fail(const std::string& what) const { throw CameraError("camera '" + path_ + "': " + what); }

void V4l2Device::refuse(const char* action, int error) const {
    fail("cannot " + std::string(action) + ": " + std::generic_category().message(error) + "; " +
         advice(error));
}

}  // namespace fastpose
