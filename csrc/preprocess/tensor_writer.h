// Rows computed in float32, channel by channel, into a tensor of any format; and what the tensor holds beyond
// the image.
#pragma once
#include <array>
#include <vector>

#include "base/cpu_features.h"
#include "base/tensor.h"
#include "preprocess/tensor_kernels.h"

namespace fastpose {

struct TensorSpec {
    TensorFormat format;
    int channels = 1;                       // 1 or 3
    int width = 0, height = 0;              // of the tensor
    int image_width = 0, image_height = 0;  // of its upper left part, which the rows fill
};

// A float32 tensor of planes is written in place; any other gets its rows through one line of each channel,
// which stays in the first-level cache. Thread-bound, no allocation after construction.
class TensorWriter {
  public:
    TensorWriter(const TensorSpec& spec, Isa isa);

    // Where the channels of row y of the image are to be computed.
    [[nodiscard]] std::array<float*, 3> row(void* tensor, int y) noexcept;
    // Brings them into the tensor.
    void write(void* tensor, int y) const noexcept;
    // Fills what lies to the right of the image and below it: with its mirror image, or zeros.
    void mirror(void* tensor) const noexcept;
    void clear(void* tensor) const noexcept;

  private:
    [[nodiscard]] bool in_place() const noexcept { return spec_.format == TensorFormat{}; }
    template <class Action>
    void on_planes(void* tensor, Action action) const noexcept;

    TensorSpec spec_;
    TensorKernels kernels_;
    std::array<std::vector<float>, 3> lines_;
};

}  // namespace fastpose
