// The simulated camera: a rendered animal behind the interface of a real camera, with its own clock and its
// faults.
#pragma once
#include <memory>

#include "camera/camera.h"
#include "camera/sim_spec.h"

namespace fastpose {

// Throws ConfigError. The camera's clock runs from here on; the first exposure begins when it is armed.
// Exposures keep to absolute deadlines, whatever the host does; a host that falls too far behind loses the
// oldest frames (gaps in the camera's counter), as it would with a real driver's queue, unless
// spec.every_frame. After a disconnection arm() throws CameraError until faults.reconnect_after_s has passed;
// then the camera's counter and clock begin anew and the animal goes on.
[[nodiscard]] std::unique_ptr<Camera> make_sim_camera(const SimSpec& spec);

}  // namespace fastpose
