// Typed errors: set-up throws these, the loop never throws. The names and meanings equal those in Python
// (fastpose.errors), where each is also the matching builtin exception.
#pragma once
#include <stdexcept>
#include <string>

namespace fastpose {

// Root of every error that fastpose raises on purpose. The text says what, which value, what is allowed.
struct FastposeError : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct ConfigError : FastposeError {
    using FastposeError::FastposeError;
};
struct CameraError : FastposeError {
    using FastposeError::FastposeError;
};
struct CameraTimeout : CameraError {
    using CameraError::CameraError;
};
struct CameraDisconnected : CameraError {
    using CameraError::CameraError;
};
struct ModelError : FastposeError {
    using FastposeError::FastposeError;
};
struct DeviceError : FastposeError {
    using FastposeError::FastposeError;
};
struct OutputError : FastposeError {
    using FastposeError::FastposeError;
};
struct RecordError : FastposeError {
    using FastposeError::FastposeError;
};

}  // namespace fastpose
