// Steps 4 to 6 of the data path: from a frame to a raw pose, whatever networks it takes.
#pragma once
#include <memory>

#include "decode/box_decoder.h"
#include "decode/decoder.h"
#include "frame/frame.h"
#include "infer/backend.h"
#include "pose/pose.h"
#include "preprocess/crop.h"
#include "preprocess/preprocess.h"
#include "record/records.h"

namespace fastpose {

// Thread-bound. Set-up throws ConfigError; run() and follow() neither throw nor allocate.
class Estimator {
  public:
    virtual ~Estimator() = default;
    // Fills `pose` (raw keypoints, sensor px; missing ones NaN) and the record's stamps `preprocessed_ns`,
    // `inferred_ns` and `decoded_ns`. False when a network failed: last_error() says why, the pose is not
    // touched.
    [[nodiscard]] virtual bool run(const FrameView& frame, FrameRecord& record, PoseView pose) noexcept = 0;
    // Runs the networks a few times before the first frame, on the loop's thread. Returns what those of a
    // frame take, ns, once an animal is followed.
    virtual std::int64_t warm_up() noexcept = 0;
    // What the next run() looks at.
    [[nodiscard]] virtual Roi roi() const noexcept = 0;
    // What the filter made of the last pose, NaN where the frame had none: for a roi that follows the animal.
    virtual void follow(const PoseView& filtered) noexcept = 0;
    [[nodiscard]] virtual const char* last_error() const noexcept = 0;
};

// One whose roi can be put somewhere else, from the next run() on, or as near as the frame allows.
class MovingEstimator : public Estimator {
  public:
    virtual void move_roi(int x, int y) noexcept = 0;
};

struct StageParts {
    std::shared_ptr<Preprocessor> preprocessor;
    std::shared_ptr<Backend> backend;
    std::shared_ptr<Decoder> decoder;
};

// One network sees the preprocessor's roi.
[[nodiscard]] std::shared_ptr<Estimator> make_single_stage(StageParts parts);

// Note [Roi tracking]: shapes stay static, so the roi that follows the animal has a fixed size. It is centred
// on the keypoints of the last filtered pose that are likely enough, and shifted to lie within `wide`'s roi.
// When there are none, or they with the margin do not fit into it, the next frame is searched as a whole.
// A network of stride 16 sees the same picture differently when it is moved by other than multiples of 16 px:
// the roi moves in such steps from the corner of the area, so that its poses are those of the whole area.
struct TrackRoiRules {
    int margin_px = 0;  // on each side of the keypoints
    int step_px = 1;    // between places of the roi
    float min_likelihood = 0;
};
// wide: the whole area, its roi never moves; narrow: the roi that moves. Throws ConfigError when the narrow
// roi is not inside the wide one.
[[nodiscard]] std::shared_ptr<Estimator> make_track_roi(std::shared_ptr<MovingEstimator> wide,
                                                        std::shared_ptr<MovingEstimator> narrow,
                                                        const TrackRoiRules& rules);
struct TrackRoiParts {
    StageParts wide, narrow;
    int margin_px = 0, step_px = 1;
    float min_likelihood = 0;
};
// Both as single stages.
[[nodiscard]] std::shared_ptr<Estimator> make_track_roi(TrackRoiParts parts);

// A detector sees the frame, then one network each of the animals it found: their crops are one batch, rows
// without an animal are ignored. Individuals are in the order of the detector's scores; without a detection
// they are missing and the second network does not run. preprocessed_ns: the detector's input is ready;
// inferred_ns: all networks have run.
struct TopDownParts {
    std::shared_ptr<Preprocessor> preprocessor;  // for the detector
    std::shared_ptr<Backend> detector;
    std::shared_ptr<BoxDecoder> boxes;
    std::shared_ptr<Cropper> cropper;
    StageParts pose;  // without preprocessor; its backend takes a batch: as many rows as animals at most
};
[[nodiscard]] std::shared_ptr<Estimator> make_top_down(TopDownParts parts);

}  // namespace fastpose
