// One network for frames that belong together: each has its row in the batch.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "engine/estimator.h"

namespace fastpose {

// What a row is to look at, and where its pose goes.
struct BatchItem {
    const FrameView* frame = nullptr;  // null: nothing in this run
    FrameRecord* record = nullptr;
    PoseView pose;
};

struct BatchParts {
    std::vector<std::shared_ptr<Preprocessor>> preprocessors;  // one a row
    std::shared_ptr<Backend> backend;                          // takes as many rows
    std::shared_ptr<Decoder> decoder;                          // of one row's outputs
};

// Thread-bound; run() neither throws nor allocates.
class Batch {
  public:
    virtual ~Batch() = default;
    // One inference for all items, one a row. Fills their poses and their records' stamps as an Estimator
    // does; rows without a frame are computed and ignored. False when the network failed.
    [[nodiscard]] virtual bool run(std::span<const BatchItem> items) noexcept = 0;
    // Runs the network a few times; returns what one run takes, ns.
    virtual std::int64_t warm_up() noexcept = 0;
    [[nodiscard]] virtual int rows() const noexcept = 0;
    [[nodiscard]] virtual Roi roi(int row) const noexcept = 0;
    [[nodiscard]] virtual const char* last_error() const noexcept = 0;
};

// Throws ConfigError.
[[nodiscard]] std::shared_ptr<Batch> make_batch(BatchParts parts);

// A row as an estimator of its own, which runs the whole batch for one frame. Throws ConfigError.
[[nodiscard]] std::shared_ptr<Estimator> make_batch_row(std::shared_ptr<Batch> batch, int row);

// Row i of a batch of n. Outputs of three dimensions carry the batch in the second of four.
[[nodiscard]] TensorView row_of(const TensorView& batch, int i, int n) noexcept;

}  // namespace fastpose
