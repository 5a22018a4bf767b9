// GLib's references and errors as C++ ones, for the files that speak to Aravis.
#pragma once
#include <arv.h>

#include <memory>
#include <string>

#include "base/error.h"

namespace fastpose::aravis {

struct Unref {
    void operator()(gpointer object) const noexcept { g_object_unref(object); }
};
struct Free {
    void operator()(gpointer memory) const noexcept { g_free(memory); }
};
template <class Object>
using Handle = std::unique_ptr<Object, Unref>;
template <class Memory>
using Owned = std::unique_ptr<Memory, Free>;

// Where a call of Aravis leaves its error.
class ErrorSlot {
  public:
    ErrorSlot() = default;
    ErrorSlot(const ErrorSlot&) = delete;
    ErrorSlot& operator=(const ErrorSlot&) = delete;
    ~ErrorSlot() { g_clear_error(&error_); }
    operator GError**() noexcept { return &error_; }
    [[nodiscard]] bool set() const noexcept { return error_ != nullptr; }
    [[nodiscard]] std::string text() const { return error_ == nullptr ? "" : error_->message; }
    // Throws CameraError with what was tried, if there is one.
    void check(const std::string& what) const {
        if (error_ != nullptr) throw CameraError(what + ": " + error_->message);
    }

  private:
    GError* error_ = nullptr;
};

// Calls function(arguments..., GError**); throws CameraError that begins with `what`.
template <class Function, class... Arguments>
auto ask(const std::string& what, Function function, Arguments... arguments) {
    ErrorSlot error;
    if constexpr (std::is_void_v<decltype(function(arguments..., error))>) {
        function(arguments..., error);
        error.check(what);
    } else {
        const auto value = function(arguments..., error);
        error.check(what);
        return value;
    }
}

// As ask(), but what fails is `otherwise`: for what a camera may lack.
template <class Value, class Function, class... Arguments>
Value ask_or(Value otherwise, Function function, Arguments... arguments) noexcept {
    ErrorSlot error;
    const auto value = function(arguments..., error);
    return error.set() ? otherwise : static_cast<Value>(value);
}

[[nodiscard]] inline bool has(ArvCamera* camera, const char* feature) noexcept {
    return ask_or(FALSE, arv_camera_is_feature_available, camera, feature) != FALSE;
}

}  // namespace fastpose::aravis
