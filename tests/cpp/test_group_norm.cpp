// Group normalisation against the formula in double, for every instruction set of this machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "infer/group_norm.h"

namespace fastpose {
namespace {

constexpr std::size_t pixels = 37, channels = 40, groups = 8;  // no multiple of a vector's width
constexpr float eps = 1e-5F;

std::vector<float> normal(std::size_t count, float mean, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> distribution(mean, 1.5F);
    std::vector<float> values(count);
    std::generate(values.begin(), values.end(), [&] { return distribution(random); });
    return values;
}

struct Maps {
    std::vector<float> values = normal(pixels * channels, 2, 1);
    std::vector<float> gamma = normal(channels, 1, 2);
    std::vector<float> beta = normal(channels, 0, 3);
};

// (x - mean) / sqrt(variance + eps) * gamma + beta, one value after the other.
std::vector<double> formula(const Maps& maps) {
    constexpr std::size_t size = channels / groups;
    std::vector<double> result(maps.values.size());
    for (std::size_t first = 0; first < channels; first += size) {
        double mean = 0, variance = 0;
        const auto each = [&](const auto& visit) {
            for (std::size_t p = 0; p < pixels; ++p)
                for (std::size_t c = first; c < first + size; ++c) visit(p * channels + c, c);
        };
        each(
            [&](std::size_t i, std::size_t) { mean += maps.values[i] / static_cast<double>(pixels * size); });
        each([&](std::size_t i, std::size_t) {
            variance += std::pow(maps.values[i] - mean, 2) / static_cast<double>(pixels * size);
        });
        each([&](std::size_t i, std::size_t c) {
            result[i] = (maps.values[i] - mean) / std::sqrt(variance + eps) * maps.gamma[c] + maps.beta[c];
        });
    }
    return result;
}

class GroupNorm : public testing::TestWithParam<Isa> {
  protected:
    void SetUp() override {
        if (GetParam() > best_isa()) GTEST_SKIP() << "this machine has no " << name_of(GetParam());
        kernels_ = group_norm_kernels(GetParam());
    }

    // Statistics, fold, and the affine map into `out`.
    template <typename T>
    std::vector<T> run(ElementKind kind, bool relu, float step, const Residual& residual = {}) {
        std::vector<float> sum(channels), squares(channels), gain(channels), shift(channels);
        kernels_.sums(maps_.values.data(), pixels, channels, sum.data(), squares.data());
        fold_group_norm({pixels, channels, groups, sum.data(), squares.data(), maps_.gamma.data(),
                         maps_.beta.data(), eps, step},
                        gain.data(), shift.data());
        std::vector<T> out(pixels * channels);
        kernels_.affine({maps_.values.data(), gain.data(), shift.data(), residual, relu, out.data(), kind,
                         pixels, channels});
        return out;
    }

    Maps maps_;
    GroupNormKernels kernels_{};
};

TEST_P(GroupNorm, IsTheFormula) {
    const std::vector<double> expected = formula(maps_);
    const auto found = run<float>(ElementKind::f32, false, 1);
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 2e-5) << i;
}

TEST_P(GroupNorm, RoundsToBytesOfAStep) {
    constexpr float step = 0.02F;  // 255 steps: 5.1, exceeded by some values
    const std::vector<double> expected = formula(maps_);
    const auto found = run<std::uint8_t>(ElementKind::u8, true, step);
    ASSERT_EQ(*std::max_element(found.begin(), found.end()), 255);
    for (std::size_t i = 0; i < found.size(); ++i)
        ASSERT_NEAR(found[i], std::clamp(expected[i] / step, 0.0, 255.0), 0.51) << i;
}

TEST_P(GroupNorm, SignedBytesSaturateOnBothSides) {
    constexpr float step = 0.02F;
    const std::vector<double> expected = formula(maps_);
    const auto found = run<std::int8_t>(ElementKind::i8, false, step);
    ASSERT_EQ(*std::min_element(found.begin(), found.end()), -128);
    ASSERT_EQ(*std::max_element(found.begin(), found.end()), 127);
    for (std::size_t i = 0; i < found.size(); ++i)
        ASSERT_NEAR(found[i], std::clamp(expected[i] / step, -128.0, 127.0), 0.51) << i;
}

template <typename T>
void expect_added(const std::vector<float>& found, const std::vector<double>& normalised,
                  const std::vector<T>& residual, double scale) {
    for (std::size_t i = 0; i < found.size(); ++i)
        ASSERT_NEAR(found[i], std::max(0.0, normalised[i] + residual[i] * scale), 5e-5) << i;
}

TEST_P(GroupNorm, AddsAResidualOfAnyKind) {
    const std::vector<double> normalised = formula(maps_);
    const std::vector<float> single = normal(pixels * channels, 0, 4);
    std::vector<std::uint8_t> bytes(single.size());
    std::vector<std::int8_t> signed_bytes(single.size());
    for (std::size_t i = 0; i < single.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(i * 7 % 256);
        signed_bytes[i] = static_cast<std::int8_t>(static_cast<int>(i * 5 % 256) - 128);
    }
    const auto with = [&](const void* data, ElementKind kind, float scale) {
        return run<float>(ElementKind::f32, true, 1, {data, kind, scale});
    };
    expect_added(with(single.data(), ElementKind::f32, 1), normalised, single, 1);
    expect_added(with(bytes.data(), ElementKind::u8, 0.03F), normalised, bytes, 0.03F);
    expect_added(with(signed_bytes.data(), ElementKind::i8, 0.03F), normalised, signed_bytes, 0.03F);
}

TEST(GroupNormFold, AFlatMapGivesItsShift) {
    const std::vector<float> values(pixels * channels, 3.0F);
    std::vector<float> sum(channels), squares(channels), gain(channels), shift(channels);
    const std::vector<float> gamma(channels, 2.0F), beta(channels, 0.25F);
    channel_sums_scalar(values.data(), pixels, channels, sum.data(), squares.data());
    fold_group_norm({pixels, channels, groups, sum.data(), squares.data(), gamma.data(), beta.data(), eps, 1},
                    gain.data(), shift.data());
    for (std::size_t c = 0; c < channels; ++c) ASSERT_NEAR(3 * gain[c] + shift[c], 0.25, 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Isa, GroupNorm, testing::Values(Isa::scalar, Isa::avx2, Isa::avx512),
                         [](const auto& set) { return std::string(name_of(set.param)); });

}  // namespace
}  // namespace fastpose
