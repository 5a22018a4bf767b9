// GigE Vision and USB3 Vision cameras of any maker through Aravis: frames go from the transport straight into
// the memory that was lent.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "camera/aravis_spec.h"
#include "camera/camera.h"

namespace fastpose {

class AravisCamera : public Camera {
  public:
    // What was read from the device: vendor, model, serial, firmware, address, packet_size, ptp, ...
    [[nodiscard]] virtual std::map<std::string, std::string> details() const = 0;
    // Where Aravis, by its own account, puts the pixels of a slot that was lent; nullptr: it never was.
    [[nodiscard]] virtual const void* written_at(int slot) const noexcept = 0;
};

// Opens the camera and sets it up; info() is read back. A camera that is silent, though its own clock
// exposes, counts as disconnected after a second or ten periods.
// Throws CameraError that names the setting, the value and what the camera allows.
[[nodiscard]] std::unique_ptr<AravisCamera> make_aravis_camera(const AravisSpec& spec);

}  // namespace fastpose
