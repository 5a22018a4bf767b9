// A network on one device: the input's shape is static.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/tensor.h"

namespace fastpose {

// What a runtime really took, which need not be what it was asked for.
struct Granted {
    std::string precision;  // of what is not quantised: f32, bf16, ...; empty: not known
    int threads = 0;        // 0: not known
    bool pinned = false;    // its threads stay on their cores
    bool cached = false;    // it came compiled from a cache
};

// What a count of an input of bytes means: value = (count - zero) * step; step 0: a grey level, which the
// network normalises itself.
struct InputCounts {
    float step = 0;
    float zero = 0;
};

// Thread-bound. Set-up (construction, warm-up) throws ModelError or DeviceError; run() does not throw.
class Backend {
  public:
    virtual ~Backend() = default;
    // (N, C, H, W) of the input tensor, whatever its layout.
    [[nodiscard]] virtual std::array<int, 4> input_shape() const noexcept = 0;
    // The memory that preprocess writes into, in the elements and layout that the runtime takes; fixed for
    // the life of the backend.
    [[nodiscard]] virtual InputView input() noexcept = 0;
    [[nodiscard]] virtual InputCounts input_counts() const noexcept { return {}; }
    // One inference; false on failure, then last_error() says why.
    [[nodiscard]] virtual bool run() noexcept = 0;
    // One inference whose result nobody looks at, on the thread that will run it.
    virtual void warm_up() noexcept { (void)run(); }
    // Valid after run() until the next one; their shapes are valid after construction, and stay but for those
    // of a detector, which follow what it found. Missing leading dimensions are 1.
    [[nodiscard]] virtual std::span<const TensorView> outputs() const noexcept = 0;
    [[nodiscard]] virtual const char* last_error() const noexcept = 0;
    // What runs, for the report: runtime, version, device, precision.
    [[nodiscard]] virtual std::string description() const = 0;
    [[nodiscard]] virtual Granted granted() const { return {}; }
};

}  // namespace fastpose
