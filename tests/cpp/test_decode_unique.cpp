// Two decoders fill one pose: the animals its upper left block, the unique bodyparts its last row and
// columns.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "allocation_counter.h"
#include "base/error.h"
#include "decode/unique_decoder.h"

namespace fastpose {
namespace {

constexpr UniqueDecoderSpec kSpec{
    .individuals = 3, .bodyparts = 5, .unique_bodyparts = 2, .animal_outputs = 2};

// Fills a pose with `first`, `first` + 1, ...; the likelihood is the number of outputs that it was given.
class Counting final : public Decoder {
  public:
    explicit Counting(float first) : first_(first) {}
    void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
             PoseView pose) noexcept override {
        for (int i = 0; i < pose.size(); ++i)
            pose.keypoints[i] = {(first_ + static_cast<float>(i)) * affine.scale_x, outputs[0].data[0],
                                 static_cast<float>(outputs.size())};
    }

  private:
    float first_;
};

class Unique : public ::testing::Test {
  protected:
    std::unique_ptr<Decoder> decoder =
        make_unique_decoder(std::make_shared<Counting>(100.0F), std::make_shared<Counting>(200.0F), kSpec);
    std::array<float, 3> cells{7, 8, 9};
    std::array<TensorView, 3> outputs{TensorView{&cells[0], {1, 1, 1, 1}},
                                      TensorView{&cells[1], {1, 1, 1, 1}},
                                      TensorView{&cells[2], {1, 1, 1, 1}}};
    std::vector<Keypoint> pose = std::vector<Keypoint>(15, Keypoint{1, 1, 1});

    [[nodiscard]] bool all_missing() const {
        return std::all_of(pose.begin(), pose.end(),
                           [](const Keypoint& k) { return is_missing(k) && k.likelihood == 0; });
    }
};

TEST_F(Unique, EachPartHasItsPlaceAndTheRestIsMissing) {
    decoder->run(outputs, {.scale_x = 2}, {pose.data(), 3, 5});
    const std::array<float, 15> xs{200, 202, 204, NAN, NAN, 206, 208, 210, NAN, NAN, NAN, NAN, NAN, 400, 402};
    for (std::size_t i = 0; i < xs.size(); ++i) {
        EXPECT_EQ(std::isnan(pose[i].x), std::isnan(xs[i])) << i;
        EXPECT_EQ(pose[i].likelihood > 0, !std::isnan(xs[i])) << i;
        if (std::isnan(xs[i])) continue;
        EXPECT_EQ(pose[i].x, xs[i]) << i;
    }
}

TEST_F(Unique, EachDecoderSeesItsOwnOutputs) {
    decoder->run(outputs, {}, {pose.data(), 3, 5});
    EXPECT_EQ(pose[0].y, 7);
    EXPECT_EQ(pose[0].likelihood, 2);
    EXPECT_EQ(pose[14].y, 9);
    EXPECT_EQ(pose[14].likelihood, 1);
}

TEST_F(Unique, APoseOfAnotherSizeAndTooFewOutputsAreMissing) {
    decoder->run(outputs, {}, {pose.data(), 5, 3});
    EXPECT_TRUE(all_missing());
    std::fill(pose.begin(), pose.end(), Keypoint{1, 1, 1});
    decoder->run(std::span(outputs).first(2), {}, {pose.data(), 3, 5});
    EXPECT_TRUE(all_missing());
}

TEST_F(Unique, AllocatesNothing) {
    start_counting_allocations();
    for (int i = 0; i < 100; ++i) decoder->run(outputs, {}, {pose.data(), 3, 5});
    EXPECT_EQ(stop_counting_allocations(), 0);
}

TEST(UniqueDecoder, RefusesWhatCannotBe) {
    const auto decoder = std::make_shared<Counting>(0.0F);
    const auto refuses = [&](auto change) {
        UniqueDecoderSpec spec = kSpec;
        change(spec);
        EXPECT_THROW(static_cast<void>(make_unique_decoder(decoder, decoder, spec)), ConfigError);
    };
    refuses([](UniqueDecoderSpec& s) { s.individuals = 1; });
    refuses([](UniqueDecoderSpec& s) { s.unique_bodyparts = 0; });
    refuses([](UniqueDecoderSpec& s) { s.unique_bodyparts = 5; });
    refuses([](UniqueDecoderSpec& s) { s.animal_outputs = 0; });
    EXPECT_THROW(static_cast<void>(make_unique_decoder(nullptr, decoder, kSpec)), ConfigError);
    EXPECT_THROW(static_cast<void>(make_unique_decoder(decoder, nullptr, kSpec)), ConfigError);
}

}  // namespace
}  // namespace fastpose
