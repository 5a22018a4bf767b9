// Preprocess row by row, one inference, decode row by row.
#include "engine/batch.h"

#include <algorithm>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "engine/single_stage.h"

namespace fastpose {
namespace {

void check(const BatchParts& parts) {
    if (parts.preprocessors.empty() || !parts.backend || !parts.decoder)
        throw ConfigError("a batch needs a preprocessor for each row, a backend and a decoder");
    const int rows = parts.backend->input_shape()[0];
    if (rows != static_cast<int>(parts.preprocessors.size()))
        throw ConfigError("a batch of " + std::to_string(parts.preprocessors.size()) +
                          " cameras; allowed: the rows of the network's input, " + std::to_string(rows));
    for (const auto& preprocessor : parts.preprocessors)
        require_same_format(preprocessor->format(), *parts.backend);
}

class CpuBatch final : public Batch {
  public:
    explicit CpuBatch(BatchParts parts) : parts_(std::move(parts)) {
        check(parts_);
        const std::array<int, 4> shape = parts_.backend->input_shape();
        row_.resize(parts_.backend->outputs().size());
        row_bytes_ = TensorView{nullptr, {1, shape[1], shape[2], shape[3]}}.size() *
                     parts_.backend->input().format.element_bytes();
    }

    [[nodiscard]] bool run(std::span<const BatchItem> items) noexcept override {
        const std::size_t rows = std::min(items.size(), parts_.preprocessors.size());
        for (std::size_t i = 0; i < rows; ++i) preprocess(items[i], i);
        const bool good = parts_.backend->run();
        const std::int64_t inferred_ns = now_ns();
        for (const BatchItem& item : items)
            if (item.frame != nullptr) item.record->inferred_ns = inferred_ns;
        for (std::size_t i = 0; good && i < rows; ++i) decode(items[i], i);
        return good;
    }
    std::int64_t warm_up() noexcept override { return warm_up_ns(*parts_.backend); }
    [[nodiscard]] int rows() const noexcept override { return static_cast<int>(parts_.preprocessors.size()); }
    [[nodiscard]] Roi roi(int row) const noexcept override {
        return parts_.preprocessors[static_cast<std::size_t>(row)]->roi();
    }
    [[nodiscard]] const char* last_error() const noexcept override { return parts_.backend->last_error(); }

  private:
    void preprocess(const BatchItem& item, std::size_t row) noexcept {
        if (item.frame == nullptr) return;
        auto* tensor = static_cast<std::byte*>(parts_.backend->input().data);
        parts_.preprocessors[row]->run(*item.frame, tensor + row * row_bytes_);
        item.record->preprocessed_ns = now_ns();
    }

    void decode(const BatchItem& item, std::size_t row) noexcept {
        if (item.frame == nullptr) return;
        const auto outputs = parts_.backend->outputs();
        for (std::size_t o = 0; o < row_.size(); ++o)
            row_[o] = row_of(outputs[o], static_cast<int>(row), rows());
        parts_.decoder->run(row_, affine_of(parts_.preprocessors[row]->tensor_to_sensor()), item.pose);
        item.record->decoded_ns = now_ns();
    }

    BatchParts parts_;
    std::vector<TensorView> row_;  // one row's part of each output
    std::size_t row_bytes_ = 0;    // of the input
};

class BatchRow final : public Estimator {
  public:
    BatchRow(std::shared_ptr<Batch> batch, int row) : batch_(std::move(batch)), row_(row) {
        if (row < 0 || row >= batch_->rows())
            throw ConfigError("row = " + std::to_string(row) + ": the batch has " +
                              std::to_string(batch_->rows()));
        items_.resize(static_cast<std::size_t>(batch_->rows()));
    }

    [[nodiscard]] bool run(const FrameView& frame, FrameRecord& record, PoseView pose) noexcept override {
        items_[static_cast<std::size_t>(row_)] = {&frame, &record, pose};
        return batch_->run(items_);
    }
    std::int64_t warm_up() noexcept override { return batch_->warm_up(); }
    [[nodiscard]] Roi roi() const noexcept override { return batch_->roi(row_); }
    void follow(const PoseView&) noexcept override {}
    [[nodiscard]] const char* last_error() const noexcept override { return batch_->last_error(); }

  private:
    std::shared_ptr<Batch> batch_;
    int row_;
    std::vector<BatchItem> items_;
};

}  // namespace

TensorView row_of(const TensorView& batch, int i, int n) noexcept {
    if (n == 1) return batch;
    TensorView row = batch;
    row.shape[batch.shape[0] == n ? 0 : 1] = 1;
    row.data = batch.data + static_cast<std::size_t>(i) * row.size();
    return row;
}

std::shared_ptr<Batch> make_batch(BatchParts parts) { return std::make_shared<CpuBatch>(std::move(parts)); }

std::shared_ptr<Estimator> make_batch_row(std::shared_ptr<Batch> batch, int row) {
    if (!batch) throw ConfigError("a row needs its batch");
    return std::make_shared<BatchRow>(std::move(batch), row);
}

}  // namespace fastpose
