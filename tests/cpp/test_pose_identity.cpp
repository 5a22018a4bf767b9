// Animals keep their slot: through crossings, gaps, any order of detections, and poses that lack a lot.
#include "pose/identity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "allocation_counter.h"
#include "base/error.h"

namespace fastpose {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr std::int64_t kStep = 10'000'000;  // ns
constexpr int kParts = 4;

// A rigid body of four keypoints in a row along x, 10 px apart.
struct Place {
    float x, y;
};

class Herd {
  public:
    explicit Herd(int animals) : animals_(animals), pose_(animals * kParts), shuffled_(pose_.size()) {}

    void put(int animal, Place at) {
        for (int part = 0; part < kParts; ++part)
            pose_[animal * kParts + part] = {at.x + 10.0F * static_cast<float>(part), at.y, 1};
    }
    void hide(int animal) { std::fill_n(&pose_[animal * kParts], kParts, Keypoint{kNan, kNan, 0}); }
    void hide_part(int animal, int part) { pose_[animal * kParts + part] = {kNan, kNan, 0}; }

    // The pose with the animals in another order.
    PoseView shuffle(std::mt19937& random) {
        std::vector<int> order(animals_);
        std::iota(order.begin(), order.end(), 0);
        std::shuffle(order.begin(), order.end(), random);
        for (int i = 0; i < animals_; ++i)
            std::copy_n(&pose_[order[i] * kParts], kParts, &shuffled_[i * kParts]);
        return view();
    }
    PoseView in_order() {
        shuffled_ = pose_;
        return view();
    }
    // Whether the animal is where it was put, and whole.
    [[nodiscard]] bool is_in(int slot, int animal) const {
        for (int part = 0; part < kParts; ++part) {
            const Keypoint &a = shuffled_[slot * kParts + part], &b = pose_[animal * kParts + part];
            const bool both_missing = std::isnan(a.x) && std::isnan(b.x);
            if (!both_missing && (a.x != b.x || a.y != b.y || a.likelihood != b.likelihood)) return false;
        }
        return true;
    }
    [[nodiscard]] bool in_place() const {
        for (int i = 0; i < animals_; ++i)
            if (!is_in(i, i)) return false;
        return true;
    }

  private:
    PoseView view() { return {shuffled_.data(), animals_, kParts}; }

    int animals_;
    std::vector<Keypoint> pose_, shuffled_;
};

std::unique_ptr<Identity> identity_of(int animals, const IdentitySpec& spec = {}) {
    return make_motion_identity(spec, animals, kParts);
}

TEST(Identity, FirstPoseStaysAsItIs) {
    Herd herd(3);
    herd.put(0, {500, 0});
    herd.hide(1);
    herd.put(2, {10, 0});
    const auto pose = herd.in_order();
    identity_of(3)->apply(pose, kStep);
    EXPECT_TRUE(herd.is_in(0, 0) || herd.is_in(0, 2));
    int whole = 0;  // nothing is lost or doubled
    for (int slot = 0; slot < 3; ++slot) whole += herd.is_in(slot, 0) + herd.is_in(slot, 2);
    EXPECT_EQ(whole, 2);
}

// The last individual is what exists once in the frame: bodypart 3, which no animal has.
TEST(Identity, TheOneWithTheUniqueBodypartsNeverMoves) {
    std::mt19937 random(9);
    Herd animals(2);
    const auto identity = identity_of(3, {.unique_bodyparts = 1});
    std::vector<Keypoint> pose(3 * kParts);
    const auto put = [&](PoseView of_animals, const Keypoint& unique) {
        std::copy_n(of_animals.keypoints, of_animals.size(), pose.begin());
        std::fill(pose.end() - kParts, pose.end() - 1, Keypoint{kNan, kNan, 0});
        pose.back() = unique;
    };
    for (int frame = 0; frame <= 100; ++frame) {
        const auto way = static_cast<float>(frame);
        animals.put(0, {100 + 4 * way, 300});
        animals.put(1, {500 - 4 * way, 300});
        if (frame < 3) animals.hide(1);  // its slot stays free, the last one's too
        for (const int animal : {0, 1}) animals.hide_part(animal, 3);
        const Keypoint unique{300, frame % 2 ? 300.0F : kNan, 1};
        put(frame < 4 ? animals.in_order() : animals.shuffle(random), unique);
        identity->apply({pose.data(), 3, kParts}, (frame + 1) * kStep);
        ASSERT_EQ(pose.back().x, 300) << "frame " << frame;
        ASSERT_EQ(std::isnan(pose.back().y), frame % 2 == 0) << "frame " << frame;
        ASSERT_EQ(pose[0].x, 100 + 4 * way) << "frame " << frame;
    }
    EXPECT_EQ(identity->size(), 3 * kParts);
}

TEST(Identity, UniqueBodypartsLeaveAnAnimalAndABodypart) {
    EXPECT_THROW(identity_of(1, {.unique_bodyparts = 1}), ConfigError);
    EXPECT_THROW(identity_of(2, {.unique_bodyparts = kParts}), ConfigError);
    EXPECT_THROW(identity_of(2, {.unique_bodyparts = -1}), ConfigError);
}

TEST(Identity, CrossingsInAnyOrderOfDetections) {
    std::mt19937 random(4);
    Herd herd(3);
    const auto identity = identity_of(3);
    for (int frame = 0; frame <= 200; ++frame) {
        const auto way = static_cast<float>(frame);
        herd.put(0, {100 + 3 * way, 300});  // to the right
        herd.put(1, {700 - 3 * way, 301});  // to the left, through the first
        herd.put(2, {400, 3 * way});        // downwards, through both
        const auto pose = frame == 0 ? herd.in_order() : herd.shuffle(random);
        identity->apply(pose, (frame + 1) * kStep);
        ASSERT_TRUE(herd.in_place()) << "frame " << frame;
    }
}

TEST(Identity, AnAnimalThatIsMissingComesBackIntoItsSlot) {
    std::mt19937 random(5);
    Herd herd(2);
    const auto identity = identity_of(2);
    for (int frame = 0; frame < 120; ++frame) {
        herd.put(0, {100 + static_cast<float>(frame), 100});
        herd.put(1, {400, 200 + static_cast<float>(frame)});
        if (frame >= 40 && frame < 80) herd.hide(0);
        identity->apply(frame == 0 ? herd.in_order() : herd.shuffle(random), (frame + 1) * kStep);
        ASSERT_TRUE(herd.in_place()) << "frame " << frame;
    }
}

TEST(Identity, AfterMaxGapItMayTurnUpAnywhere) {
    Herd herd(2);
    const auto identity = identity_of(2, {.max_gap_ms = 100});
    herd.put(0, {100, 100});
    herd.put(1, {400, 400});
    identity->apply(herd.in_order(), kStep);
    herd.hide(0);
    for (int frame = 2; frame < 20; ++frame) identity->apply(herd.in_order(), frame * kStep);
    herd.put(0, {390, 100});  // nearer to where the other is than to where it was lost
    std::mt19937 random(6);
    identity->apply(herd.shuffle(random), 20 * kStep);
    EXPECT_TRUE(herd.in_place());
}

TEST(Identity, HalfABodyIsEnough) {
    std::mt19937 random(7);
    Herd herd(2);
    const auto identity = identity_of(2);
    for (int frame = 0; frame < 100; ++frame) {
        herd.put(0, {100 + static_cast<float>(frame), 100});
        herd.put(1, {200 - static_cast<float>(frame), 130});
        if (frame > 0) herd.hide_part(0, frame % kParts), herd.hide_part(0, (frame + 1) % kParts);
        if (frame > 0) herd.hide_part(1, (frame + 2) % kParts);
        identity->apply(frame == 0 ? herd.in_order() : herd.shuffle(random), (frame + 1) * kStep);
        ASSERT_TRUE(herd.in_place()) << "frame " << frame;
    }
}

TEST(Identity, APoseOfNanIsLeftAndForgotten) {
    Herd herd(2);
    const auto identity = identity_of(2);
    herd.put(0, {100, 100});
    herd.put(1, {300, 300});
    identity->apply(herd.in_order(), kStep);
    herd.hide(0), herd.hide(1);
    for (int frame = 2; frame < 10; ++frame) identity->apply(herd.in_order(), frame * kStep);
    EXPECT_TRUE(herd.in_place());
    herd.put(0, {101, 101});
    herd.put(1, {301, 301});
    std::mt19937 random(1);
    for (int i = 0; i < 4; ++i) {
        identity->apply(herd.shuffle(random), (10 + i) * kStep);
        EXPECT_TRUE(herd.in_place());
    }
}

TEST(Identity, WhatIsBelowTheGateIsMovedButNotCompared) {
    std::vector<Keypoint> pose(2 * kParts);
    const auto identity = identity_of(2, {.min_likelihood = 0.5});
    const auto fill = [&](int slot, Keypoint k) { std::fill_n(&pose[slot * kParts], kParts, k); };
    fill(0, {10, 10, 1}), fill(1, {90, 90, 1});
    identity->apply({pose.data(), 2, kParts}, kStep);
    fill(0, {90, 90, 1}), fill(1, {91, 91, 0.4F});  // the second is seen too badly to be compared
    identity->apply({pose.data(), 2, kParts}, 2 * kStep);
    EXPECT_FLOAT_EQ(pose[kParts].x, 90);
    EXPECT_FLOAT_EQ(pose[0].x, 91);
    EXPECT_FLOAT_EQ(pose[0].likelihood, 0.4F);
}

TEST(Identity, TimeThatGoesBackBeginsAnew) {
    Herd herd(2);
    const auto identity = identity_of(2);
    herd.put(0, {100, 100});
    herd.put(1, {300, 300});
    identity->apply(herd.in_order(), 5 * kStep);
    herd.put(0, {300, 300});
    herd.put(1, {100, 100});
    identity->apply(herd.in_order(), 5 * kStep);
    EXPECT_TRUE(herd.in_place());  // as a first pose
}

TEST(Identity, APoseOfAnotherSizeIsLeftAsItIs) {
    const auto identity = identity_of(2);
    std::vector<Keypoint> pose(3 * kParts, Keypoint{1, 2, 0.5F});
    identity->apply({pose.data(), 3, kParts}, kStep);
    for (const Keypoint& k : pose) EXPECT_FLOAT_EQ(k.y, 2);
    EXPECT_EQ(identity->size(), 2 * kParts);
}

TEST(Identity, AllocatesNothing) {
    Herd herd(3);
    const auto identity = identity_of(3);
    for (int i = 0; i < 3; ++i) herd.put(i, {100.0F * static_cast<float>(i), 0});
    auto pose = herd.in_order();
    start_counting_allocations();
    for (int frame = 1; frame <= 1000; ++frame) identity->apply(pose, frame * kStep);
    EXPECT_EQ(stop_counting_allocations(), 0);
}

TEST(Identity, RefusesWhatCannotBe) {
    const auto refuses = [](const IdentitySpec& spec, int animals, int parts) {
        EXPECT_THROW(static_cast<void>(make_motion_identity(spec, animals, parts)), ConfigError);
    };
    refuses({}, 0, 3);
    refuses({}, 257, 3);
    refuses({}, 2, 0);
    refuses({.min_likelihood = 1.1}, 2, 3);
    refuses({.max_gap_ms = -1}, 2, 3);
    refuses({.velocity_window_ms = 0}, 2, 3);
    refuses({.tolerance = 0}, 2, 3);
    refuses({.tolerance = std::numeric_limits<double>::quiet_NaN()}, 2, 3);
}

}  // namespace
}  // namespace fastpose
