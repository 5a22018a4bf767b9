// The TurboJPEG interface, loaded when a camera asks for it: the engine runs where it is not installed, and
// the library can come later. Its functions and numbers are those of turbojpeg.h, the same since 2.0.
#include "camera/jpeg_decoder.h"

#include <dlfcn.h>

#include <cstring>

#include "base/error.h"

namespace fastpose {
namespace {

using Handle = void*;

enum TurboFormat : int { turbo_rgb = 0, turbo_bgr = 1, turbo_grey = 6 };
constexpr int turbo_warning = 0;  // of tjGetErrorCode: it went on

struct Turbo {
    Handle (*init)() = nullptr;
    int (*header)(Handle, const unsigned char*, unsigned long, int*, int*, int*, int*) = nullptr;
    int (*decompress)(Handle, const unsigned char*, unsigned long, unsigned char*, int, int, int, int,
                      int) = nullptr;
    int (*error_code)(Handle) = nullptr;
    char* (*error_text)(Handle) = nullptr;
    int (*destroy)(Handle) = nullptr;
};

template <typename Function>
bool load(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    return function != nullptr;
}

Turbo load_turbo() {
    void* library = ::dlopen("libturbojpeg.so.0", RTLD_NOW | RTLD_LOCAL);  // stays for the process's life
    if (library == nullptr)
        throw CameraError(
            "Motion-JPEG needs libjpeg-turbo (libturbojpeg.so.0), which is not here: apt install "
            "libturbojpeg0, "
            "or dnf install turbojpeg");
    Turbo turbo;
    const bool complete =
        load(library, "tjInitDecompress", turbo.init) && load(library, "tjDecompressHeader3", turbo.header) &&
        load(library, "tjDecompress2", turbo.decompress) &&
        load(library, "tjGetErrorCode", turbo.error_code) &&
        load(library, "tjGetErrorStr2", turbo.error_text) && load(library, "tjDestroy", turbo.destroy);
    if (!complete) throw CameraError("Motion-JPEG needs libjpeg-turbo 2.0 or newer; the one here is older");
    return turbo;
}

TurboFormat turbo_format_of(PixelFormat format) {
    if (format == PixelFormat::mono8) return turbo_grey;
    if (format == PixelFormat::rgb8) return turbo_rgb;
    if (format == PixelFormat::bgr8) return turbo_bgr;
    throw CameraError("pixel_format is " + std::string(name_of(format)) +
                      " with compression: mjpg; allowed: mono8, rgb8, bgr8");
}

class TurboDecoder final : public JpegDecoder {
  public:
    explicit TurboDecoder(PixelFormat format)
        : format_(format),
          turbo_format_(turbo_format_of(format)),
          turbo_(load_turbo()),
          handle_(turbo_.init()) {
        if (handle_ == nullptr) throw CameraError("libjpeg-turbo cannot start: no memory");
    }
    ~TurboDecoder() override { turbo_.destroy(handle_); }
    TurboDecoder(const TurboDecoder&) = delete;
    TurboDecoder& operator=(const TurboDecoder&) = delete;

    JpegResult decode(std::span<const std::uint8_t> jpeg, std::span<std::uint8_t> pixels, int width,
                      int height) noexcept override {
        int jpeg_width = 0, jpeg_height = 0, subsampling = 0, colours = 0;
        const int read = turbo_.header(handle_, jpeg.data(), jpeg.size(), &jpeg_width, &jpeg_height,
                                       &subsampling, &colours);
        if (read != 0 && turbo_.error_code(handle_) != turbo_warning) return JpegResult::unreadable;
        if (jpeg_width != width || jpeg_height != height ||
            pixels.size() < frame_bytes(format_, width, height))
            return JpegResult::unreadable;
        const int done = turbo_.decompress(handle_, jpeg.data(), jpeg.size(), pixels.data(), width, 0, height,
                                           turbo_format_, 0);
        return done == 0 ? JpegResult::whole : judged();
    }

    [[nodiscard]] std::string last_words() const override { return turbo_.error_text(handle_); }

  private:
    // Many webcams put a few bytes too many between two markers: nothing of the frame is missing then.
    [[nodiscard]] JpegResult judged() const noexcept {
        if (turbo_.error_code(handle_) != turbo_warning) return JpegResult::unreadable;
        const bool harmless = std::strstr(turbo_.error_text(handle_), "extraneous bytes") != nullptr;
        return harmless ? JpegResult::whole : JpegResult::damaged;
    }

    PixelFormat format_;
    TurboFormat turbo_format_;
    Turbo turbo_;
    Handle handle_;
};

}  // namespace

std::unique_ptr<JpegDecoder> make_jpeg_decoder(PixelFormat format) {
    return std::make_unique<TurboDecoder>(format);
}

}  // namespace fastpose
