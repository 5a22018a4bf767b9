// Where no camera of ours sends Motion-JPEG.
#include "base/error.h"
#include "camera/jpeg_decoder.h"

namespace fastpose {

std::unique_ptr<JpegDecoder> make_jpeg_decoder(PixelFormat) {
    throw CameraError("Motion-JPEG is decoded on Linux only in this version");
}

}  // namespace fastpose
