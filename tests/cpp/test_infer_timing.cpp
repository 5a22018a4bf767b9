// Timing of a backend: one duration a run, and a failure is an error.
#include <gtest/gtest.h>

#include "base/error.h"
#include "infer/timing.h"

namespace fastpose {
namespace {

class Counting final : public Backend {
  public:
    explicit Counting(int fails_after) : fails_after_(fails_after) {}
    [[nodiscard]] std::array<int, 4> input_shape() const noexcept override { return {1, 1, 1, 1}; }
    [[nodiscard]] InputView input() noexcept override { return {&input_, {}}; }
    [[nodiscard]] bool run() noexcept override { return runs++ < fails_after_; }
    [[nodiscard]] std::span<const TensorView> outputs() const noexcept override { return {}; }
    [[nodiscard]] const char* last_error() const noexcept override { return "no power"; }
    [[nodiscard]] std::string description() const override { return "counting"; }

    int runs = 0;

  private:
    int fails_after_;
    float input_ = 0;
};

TEST(InferTiming, OneDurationARun) {
    Counting backend(100);
    const auto durations_ns = time_runs(backend, 7);
    EXPECT_EQ(durations_ns.size(), 7U);
    EXPECT_EQ(backend.runs, 7);
    for (const auto duration_ns : durations_ns) EXPECT_GE(duration_ns, 0);
    EXPECT_TRUE(time_runs(backend, 0).empty());
    EXPECT_TRUE(time_runs(backend, -1).empty());
}

TEST(InferTiming, AFailureIsAnError) {
    Counting backend(2);
    EXPECT_THROW((void)time_runs(backend, 3), DeviceError);
    EXPECT_EQ(backend.runs, 3);
}

TEST(InferTiming, ABackendThatGrantsNothingSaysSo) {
    const Granted granted = Counting(1).granted();
    EXPECT_EQ(granted.precision, "");
    EXPECT_EQ(granted.threads, 0);
    EXPECT_FALSE(granted.pinned || granted.cached);
}

}  // namespace
}  // namespace fastpose
