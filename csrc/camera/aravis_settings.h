// Sets a GenICam camera up as asked, and reads back what it really does.
#pragma once
#include "camera/aravis_glib.h"
#include "camera/aravis_spec.h"
#include "camera/camera.h"

namespace fastpose::aravis {

// Throws CameraError that names the setting, the value and what the camera allows.
void apply(ArvCamera* camera, const AravisSpec& spec);

// What the camera is set to. Throws CameraError where that is not what was asked, or its frames cannot be
// taken as they are.
[[nodiscard]] CameraInfo read_back(ArvCamera* camera, const AravisSpec& spec);

}  // namespace fastpose::aravis
