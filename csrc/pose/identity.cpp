// Identity by motion: nearest-track assignment over the keypoints that track and detection have in common.
#include "pose/identity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "base/assignment.h"
#include "base/check.h"
#include "pose/track.h"

namespace fastpose {
namespace {

constexpr double unknown = 1.0;      // difference to a track that began nowhere, or was lost long ago
constexpr double never_seen = 1.01;  // rather an animal that was there before than a new one
constexpr double smallest_body_px = 10;
constexpr double size_memory = 0.02;  // weight of one pose in the mean body size

class MotionIdentity final : public Identity {
  public:
    // rows: of the pose, the first `individuals` of them animals.
    MotionIdentity(const IdentitySpec& spec, int rows, int individuals, int bodyparts)
        : spec_(spec),
          rows_(rows),
          individuals_(individuals),
          bodyparts_(bodyparts),
          tracks_(individuals, Track(bodyparts)),
          assignment_(individuals),
          costs_(static_cast<std::size_t>(individuals) * individuals),
          track_of_(individuals),
          source_of_(individuals),
          detections_(static_cast<std::size_t>(individuals) * bodyparts),
          usable_(detections_.size()) {
        present_.reserve(individuals);
    }

    void apply(PoseView pose, std::int64_t exposure_start_ns) noexcept override {
        if (pose.individuals != rows_ || pose.bodyparts != bodyparts_) return;
        if (exposure_start_ns <= last_ns_) reset();
        last_ns_ = exposure_start_ns;
        std::copy_n(pose.keypoints, detections_.size(), detections_.begin());
        note_present();
        assign(exposure_start_ns);
        write(pose, exposure_start_ns);
    }

    void reset() noexcept override {
        for (Track& track : tracks_) track.reset();
        last_ns_ = never;
        size_px_ = 0;
    }

    int size() const noexcept override { return rows_ * bodyparts_; }

  private:
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::min();

    [[nodiscard]] std::span<const Keypoint> keypoints(int individual) const noexcept {
        return std::span(detections_).subspan(static_cast<std::size_t>(individual) * bodyparts_, bodyparts_);
    }
    [[nodiscard]] std::span<const char> usable(int individual) const noexcept {
        return std::span(usable_).subspan(static_cast<std::size_t>(individual) * bodyparts_, bodyparts_);
    }

    // Detections with at least one keypoint to compare, and the mean size of their bodies.
    void note_present() noexcept {
        present_.clear();
        for (std::size_t i = 0; i < detections_.size(); ++i) {
            const Keypoint& k = detections_[i];
            usable_[i] = std::isfinite(k.x) && std::isfinite(k.y) &&
                         k.likelihood >= static_cast<float>(spec_.min_likelihood);
        }
        for (int i = 0; i < individuals_; ++i) {
            const auto seen = usable(i);
            if (std::find(seen.begin(), seen.end(), 1) == seen.end()) continue;
            present_.push_back(i);
            note_size(i);
        }
    }

    // Root mean square distance from the centre, of poses that are complete enough.
    void note_size(int individual) noexcept {
        double n = 0, x = 0, y = 0, squares = 0;
        for (int part = 0; part < bodyparts_; ++part) {
            if (!usable(individual)[part]) continue;
            const Keypoint& k = keypoints(individual)[part];
            n += 1, x += k.x, y += k.y, squares += double{k.x} * k.x + double{k.y} * k.y;
        }
        if (n < 2 || 2 * n < bodyparts_ - spec_.unique_bodyparts) return;
        const double size_px = std::sqrt(std::max(0.0, squares / n - (x * x + y * y) / (n * n)));
        size_px_ += (size_px_ > 0 ? size_memory : 1) * (size_px - size_px_);
    }

    [[nodiscard]] double cost(const Track& track, int individual, std::int64_t time_ns) const noexcept {
        if (!track.started()) return never_seen;
        if (static_cast<double>(time_ns - track.last_ns()) > spec_.max_gap_ms * 1e6) return unknown;
        const double body_px = std::max(size_px_, smallest_body_px);
        return track.difference(keypoints(individual), usable(individual), time_ns,
                                spec_.tolerance * body_px);
    }

    void assign(std::int64_t time_ns) noexcept {
        const int rows = static_cast<int>(present_.size());
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < individuals_; ++j)
                costs_[static_cast<std::size_t>(i) * individuals_ + j] =
                    cost(tracks_[j], present_[i], time_ns);
        assignment_.solve(costs_, rows, individuals_, track_of_);
    }

    void write(PoseView pose, std::int64_t time_ns) noexcept {
        std::fill(source_of_.begin(), source_of_.end(), -1);
        for (std::size_t i = 0; i < present_.size(); ++i) {
            const int individual = present_[i];
            source_of_[track_of_[i]] = individual;
            tracks_[track_of_[i]].follow(keypoints(individual), usable(individual), time_ns,
                                         spec_.velocity_window_ms * 1e-3);
        }
        fill_free_slots();
        for (int slot = 0; slot < individuals_; ++slot) {
            const auto found = keypoints(source_of_[slot]);
            std::copy(found.begin(), found.end(), &pose.at(slot, 0));
        }
    }

    // What cannot be compared stays in the pose, in the slots that are left.
    void fill_free_slots() noexcept {
        int slot = 0;
        for (int i = 0; i < individuals_; ++i) {
            if (std::find(present_.begin(), present_.end(), i) != present_.end()) continue;
            while (source_of_[slot] >= 0) ++slot;
            source_of_[slot] = i;
        }
    }

    IdentitySpec spec_;
    int rows_, individuals_, bodyparts_;
    std::vector<Track> tracks_;
    Assignment assignment_;
    std::vector<double> costs_;
    std::vector<int> track_of_;   // by index into present_
    std::vector<int> present_;    // individuals of the detections
    std::vector<int> source_of_;  // by slot
    std::vector<Keypoint> detections_;
    std::vector<char> usable_;
    std::int64_t last_ns_ = never;
    double size_px_ = 0;
};

}  // namespace

std::unique_ptr<Identity> make_motion_identity(const IdentitySpec& spec, int individuals, int bodyparts) {
    require_between("min_likelihood", spec.min_likelihood, 0, 1);
    require_between("max_gap_ms", spec.max_gap_ms, 0, 86'400'000);
    require_above("velocity_window_ms", spec.velocity_window_ms, 0);
    require_above("tolerance", spec.tolerance, 0);
    require_between("individuals", individuals, 1, 256);
    require_at_least("bodyparts", bodyparts, 1);
    require_between("unique_bodyparts", spec.unique_bodyparts, 0, bodyparts - 1);
    const int animals = spec.unique_bodyparts > 0 ? individuals - 1 : individuals;
    require_at_least("individuals that are animals", animals, 1);
    return std::make_unique<MotionIdentity>(spec, individuals, animals, bodyparts);
}

}  // namespace fastpose
