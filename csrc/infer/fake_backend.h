// A backend that replays stored outputs: for tests, and for benchmarks of everything but the network.
#pragma once
#include <memory>
#include <vector>

#include "infer/backend.h"

namespace fastpose {

struct FakeOutput {
    std::array<int, 4> shape{};
    std::vector<float> values;  // one or several results behind one another; they are replayed in turn
};

// Throws ModelError if a value count is no multiple of its shape's size, or the outputs differ in their
// number.
[[nodiscard]] std::unique_ptr<Backend> make_fake_backend(std::array<int, 4> input_shape,
                                                         std::vector<FakeOutput> outputs,
                                                         TensorFormat input_format = {});

}  // namespace fastpose
