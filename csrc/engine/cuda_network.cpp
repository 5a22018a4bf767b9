// See Note [One graph]: set-up builds it, a frame only says where it lies.
#include "engine/cuda_network.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
#include "cuda/cuda_check.h"
#include "cuda/status.h"
#include "engine/pinned_ring.h"
#include "engine/single_stage.h"

namespace fastpose {
namespace {

constexpr int warm_up_runs = 5;
constexpr std::size_t stride_room = 256;  // bytes that a row may be longer than its pixels

// Rows of bytes that a frame has: nv12 holds its chroma below.
int lines_of(const PreprocessSpec& spec) {
    return spec.format == PixelFormat::nv12 ? spec.frame_height * 3 / 2 : spec.frame_height;
}

CudaNetworkSpec on_device_of(CudaCalls& calls, CudaNetworkSpec spec) {
    require_cuda_device(calls, spec.device);
    return spec;
}

std::string name_of_device(CudaCalls& calls, int index) {
    CudaDevice device;
    return calls.device(index, device) == 0 ? device.name : "";
}

}  // namespace

// A camera's frame on its way to the device.
struct CudaNetwork::Row {
    Row(CudaCalls& calls, const PreprocessSpec& spec, const DeviceTensor& input, bool whole)
        : preprocess(calls, spec, input),
          dense_stride(row_bytes(spec.format, spec.frame_width)),
          lines(static_cast<std::size_t>(lines_of(spec))),
          whole_frame(whole),
          frame(calls, lines * (dense_stride + stride_room)),
          staging(calls, lines * dense_stride) {}

    [[nodiscard]] FrameParts parts(std::size_t stride) const noexcept {
        if (whole_frame) return {{0, (lines - 1) * stride + dense_stride}, {}};
        return preprocess.needed(static_cast<std::ptrdiff_t>(stride));
    }
    // Whether a frame may lie on the device as it lies on the host; whole ones are for users, and dense.
    [[nodiscard]] bool fits(std::ptrdiff_t frame_stride) const noexcept {
        if (whole_frame) return frame_stride == static_cast<std::ptrdiff_t>(dense_stride);
        return frame_stride >= 0 && lines * static_cast<std::size_t>(frame_stride) <= frame.bytes();
    }
    // Copies the rows that `wanted` covers, which are counted in the dense layout.
    void copy_rows(const FrameView& view, const FramePart& wanted) noexcept {
        const std::size_t end = (wanted.first + wanted.bytes + dense_stride - 1) / dense_stride;
        for (std::size_t line = wanted.first / dense_stride; line < end; ++line)
            std::memcpy(staging.data() + line * dense_stride,
                        view.data + static_cast<std::ptrdiff_t>(line) * view.stride_bytes, dense_stride);
    }
    void stage(const FrameView& view) noexcept {
        const FrameParts wanted = parts(dense_stride);
        copy_rows(view, wanted.pixels);
        if (wanted.chroma.bytes > 0) copy_rows(view, wanted.chroma);
    }
    [[nodiscard]] int upload(GraphInstance& instance, const std::uint8_t* source,
                             std::size_t stride) noexcept {
        const FrameParts wanted = parts(stride);
        int error = upload(instance, pixels, wanted.pixels, source);
        if (error == 0 && wanted.chroma.bytes > 0) error = upload(instance, chroma, wanted.chroma, source);
        return error;
    }
    [[nodiscard]] int upload(GraphInstance& instance, GraphNode node, const FramePart& part,
                             const std::uint8_t* source) noexcept {
        return instance.update(node, frame.data() + part.first, source + part.first, part.bytes);
    }

    CudaPreprocess preprocess;
    std::size_t dense_stride, lines;
    bool whole_frame;
    DeviceMemory frame;
    PinnedMemory staging;
    GraphNode pixels, chroma;
    std::size_t device_stride = 0;  // of the frame that is on the device
};

CudaNetwork::CudaNetwork(CudaCalls& calls, CudaNetworkSpec spec)
    : calls_(&calls),
      spec_(on_device_of(calls, std::move(spec))),
      device_name_(name_of_device(calls, spec_.device)),
      network_(calls, spec_.input, spec_.outputs, spec_.high_priority),
      parameters_(calls, spec_.rows.size() * sizeof(RowParameters)),
      device_parameters_(calls, spec_.rows.size() * sizeof(RowParameters)) {
    check();
    for (const PreprocessSpec& row : spec_.rows)
        rows_.push_back(std::make_unique<Row>(calls, row, spec_.input, spec_.whole_frames));
    results_ = std::make_unique<CudaResults>(
        calls, spec_.decode, network_.outputs(), PoseShape{rows(), spec_.individuals, spec_.bodyparts},
        reinterpret_cast<const RowParameters*>(device_parameters_.data()));
    if (!spec_.stage_times) return;
    for (std::size_t stage = 0; stage < stages; ++stage) events_.emplace_back(calls);
}

CudaNetwork::~CudaNetwork() {
    static_cast<void>(calls_->set_device(spec_.device));
    static_cast<void>(calls_->synchronize(network_.stream().handle()));
}

void CudaNetwork::check() const {
    require_at_least("individuals", spec_.individuals, 1);
    require_at_least("bodyparts", spec_.bodyparts, 1);
    if (spec_.rows.empty() || spec_.input.shape[0] != static_cast<int>(spec_.rows.size()))
        throw ConfigError("preprocess for " + std::to_string(spec_.rows.size()) +
                          " rows; allowed: one for each of the " + std::to_string(spec_.input.shape[0]) +
                          " of the network's input " + spec_.input.name);
    if (spec_.outputs.empty()) throw ConfigError("a network without outputs; needed is at least one");
}

void CudaNetwork::register_memory(std::shared_ptr<const RegisteredMemory> memory) {
    registered_.push_back(std::move(memory));
}

void CudaNetwork::use_ring(const std::shared_ptr<Ring>& ring) {
    check_cuda(*calls_, calls_->set_device(spec_.device), "to choose the device");
    register_memory(pinned_ring(*calls_, ring));
}

void CudaNetwork::finish() {
    graph_ = std::make_unique<NetworkGraph>(
        *calls_, network_, [this](CudaGraph& graph) { return add_input(graph); },
        [this](CudaGraph& graph, Nodes after) { add_results(graph, std::move(after)); });
    if (warm_up() == 0) throw DeviceError(last_error());
}

// What follows then waits for the event alone.
std::vector<GraphNode> CudaNetwork::add_stamp(CudaGraph& graph, std::vector<GraphNode> after, Stage stage) {
    if (!spec_.stage_times) return after;
    return {graph.event(after, events_[stage].handle())};
}

std::vector<GraphNode> CudaNetwork::add_input(CudaGraph& graph) {
    const std::vector<GraphNode> ready =
        add_stamp(graph, add_uploads(graph, add_stamp(graph, {}, begun)), uploaded);
    const std::size_t image = spec_.input.bytes() / rows_.size();
    const auto* parameters = reinterpret_cast<const RowParameters*>(device_parameters_.data());
    std::vector<GraphNode> done;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const CudaPreprocess& preprocess = rows_[i]->preprocess;
        const PreprocessArguments arguments =
            preprocess.arguments(rows_[i]->frame.data(), parameters + i, network_.input() + i * image);
        const KernelCall call{preprocess.kernel(), preprocess.grid(), &arguments, sizeof arguments};
        done.push_back(graph.kernel(ready, call));
    }
    return add_stamp(graph, done, preprocessed);
}

std::vector<GraphNode> CudaNetwork::add_uploads(CudaGraph& graph, const std::vector<GraphNode>& after) {
    std::vector<GraphNode> nodes{
        graph.copy(after, device_parameters_.data(), parameters_.data(), parameters_.bytes())};
    const auto add = [&](const Row& row, const FramePart& part) {
        nodes.push_back(
            graph.copy(after, row.frame.data() + part.first, row.staging.data() + part.first, part.bytes));
        return nodes.back();
    };
    for (auto& row : rows_) {
        row->device_stride = row->dense_stride;
        const FrameParts parts = row->parts(row->device_stride);
        row->pixels = add(*row, parts.pixels);
        if (parts.chroma.bytes > 0) row->chroma = add(*row, parts.chroma);
    }
    return nodes;
}

void CudaNetwork::add_results(CudaGraph& graph, std::vector<GraphNode> after) {
    after = add_stamp(graph, std::move(after), inferred);
    after = add_stamp(graph, results_->add_decode(graph, after), decoded);
    static_cast<void>(add_stamp(graph, results_->add_download(graph, after), downloaded));
}

bool CudaNetwork::is_pinned(const FrameView& frame) const noexcept {
    const auto bytes = static_cast<std::size_t>(frame.stride_bytes) * static_cast<std::size_t>(frame.height);
    const std::size_t all = frame.format == PixelFormat::nv12 ? bytes + bytes / 2 : bytes;
    return std::ranges::any_of(registered_,
                               [&](const auto& memory) { return memory->holds(frame.data, all); });
}

bool CudaNetwork::take_frames(std::span<const BatchItem> items) noexcept {
    auto* parameters = reinterpret_cast<RowParameters*>(parameters_.data());
    for (std::size_t i = 0; i < std::min(items.size(), rows_.size()); ++i) {
        if (items[i].frame == nullptr) continue;
        const FrameView& frame = *items[i].frame;
        Row& row = *rows_[i];
        const bool direct = row.fits(frame.stride_bytes) && is_pinned(frame);
        if (!direct) row.stage(frame);
        row.device_stride = direct ? static_cast<std::size_t>(frame.stride_bytes) : row.dense_stride;
        const std::uint8_t* source = direct ? frame.data : row.staging.data();
        parameters[i] = row.preprocess.parameters(static_cast<std::ptrdiff_t>(row.device_stride));
        if (!last_error_.good(*calls_, row.upload(graph_->first(), source, row.device_stride),
                              "to point the upload at a frame"))
            return false;
    }
    return true;
}

bool CudaNetwork::run(std::span<const BatchItem> items) noexcept {
    const std::int64_t begin_ns = now_ns();
    if (!graph_ || !last_error_.good(*calls_, calls_->set_device(spec_.device), "to choose the device"))
        return false;
    if (!take_frames(items) || !graph_->launch(last_error_, "a frame")) return false;
    const std::int64_t launched_ns = now_ns();
    if (!last_error_.good(*calls_, calls_->synchronize(network_.stream().handle()), "a frame")) return false;
    const std::int64_t done_ns = now_ns();
    times_.launch = launched_ns - begin_ns;
    times_.wait = done_ns - launched_ns;
    stamp(items, done_ns);
    for (std::size_t i = 0; i < std::min(items.size(), rows_.size()); ++i)
        if (items[i].frame != nullptr) deliver(items[i], static_cast<int>(i));
    return true;
}

std::int64_t CudaNetwork::elapsed_ns(Stage from, Stage to) const noexcept {
    float ms = 0;
    if (calls_->elapsed_ms(ms, events_[from].handle(), events_[to].handle()) != 0) return 0;
    return static_cast<std::int64_t>(std::llround(static_cast<double>(ms) * 1e6));
}

// See Note [GPU time].
void CudaNetwork::stamp(std::span<const BatchItem> items, std::int64_t done_ns) noexcept {
    std::int64_t preprocessed_ns = done_ns, inferred_ns = done_ns;
    if (spec_.stage_times) {
        times_.upload = elapsed_ns(begun, uploaded);
        times_.preprocess = elapsed_ns(uploaded, preprocessed);
        times_.network = elapsed_ns(preprocessed, inferred);
        times_.decode = elapsed_ns(inferred, decoded);
        times_.download = elapsed_ns(decoded, downloaded);
        inferred_ns -= times_.decode + times_.download;
        preprocessed_ns = inferred_ns - times_.network;
    }
    for (const BatchItem& item : items) {
        if (item.frame == nullptr) continue;
        item.record->preprocessed_ns = preprocessed_ns;
        item.record->inferred_ns = inferred_ns;
    }
}

void CudaNetwork::deliver(const BatchItem& item, int row) noexcept {
    results_->deliver(row, reinterpret_cast<const RowParameters*>(parameters_.data())[row], item.pose);
    item.record->decoded_ns = now_ns();
}

std::int64_t CudaNetwork::warm_up() noexcept {
    std::int64_t shortest = std::numeric_limits<std::int64_t>::max();
    for (int i = 0; i < warm_up_runs; ++i) {
        const std::int64_t begin_ns = now_ns();
        if (!run({})) return 0;
        shortest = std::min(shortest, now_ns() - begin_ns);
    }
    return shortest;
}

void CudaNetwork::move_roi(int row, int x, int y) noexcept {
    rows_[static_cast<std::size_t>(row)]->preprocess.move_roi(x, y);
}

Roi CudaNetwork::roi(int row) const noexcept {
    return rows_[static_cast<std::size_t>(row)]->preprocess.roi();
}

std::uint8_t* CudaNetwork::device_frame(int row) const noexcept {
    return rows_[static_cast<std::size_t>(row)]->frame.data();
}

std::ptrdiff_t CudaNetwork::device_stride(int row) const noexcept {
    return static_cast<std::ptrdiff_t>(rows_[static_cast<std::size_t>(row)]->device_stride);
}

std::string CudaNetwork::description() const {
    const std::string graphs = graph_ ? graph_->description() : "no graph yet";
    return "cuda:" + std::to_string(spec_.device) + " " + device_name_ + ", " + graphs + ", " +
           results_->description();
}

namespace {

class CudaEstimator final : public MovingEstimator {
  public:
    CudaEstimator(std::shared_ptr<CudaNetwork> network, int row)
        : network_(std::move(network)), row_(row), items_(static_cast<std::size_t>(network_->rows())) {
        require_index("row", row, network_->rows());
    }

    [[nodiscard]] bool run(const FrameView& frame, FrameRecord& record, PoseView pose) noexcept override {
        items_[static_cast<std::size_t>(row_)] = {&frame, &record, pose};
        return network_->run(items_);
    }
    std::int64_t warm_up() noexcept override { return network_->warm_up(); }
    [[nodiscard]] Roi roi() const noexcept override { return network_->roi(row_); }
    void follow(const PoseView&) noexcept override {}
    [[nodiscard]] const char* last_error() const noexcept override { return network_->last_error(); }
    void use_ring(const std::shared_ptr<Ring>& ring) override { network_->use_ring(ring); }
    void move_roi(int x, int y) noexcept override { network_->move_roi(row_, x, y); }

  private:
    std::shared_ptr<CudaNetwork> network_;
    int row_;
    std::vector<BatchItem> items_;
};

class CudaBatch final : public Batch {
  public:
    explicit CudaBatch(std::shared_ptr<CudaNetwork> network) : network_(std::move(network)) {}

    [[nodiscard]] bool run(std::span<const BatchItem> items) noexcept override {
        return network_->run(items);
    }
    std::int64_t warm_up() noexcept override { return network_->warm_up(); }
    [[nodiscard]] int rows() const noexcept override { return network_->rows(); }
    [[nodiscard]] Roi roi(int row) const noexcept override { return network_->roi(row); }
    [[nodiscard]] const char* last_error() const noexcept override { return network_->last_error(); }
    void use_ring(const std::shared_ptr<Ring>& ring) override { network_->use_ring(ring); }

  private:
    std::shared_ptr<CudaNetwork> network_;
};

}  // namespace

std::shared_ptr<MovingEstimator> make_cuda_estimator(std::shared_ptr<CudaNetwork> network, int row) {
    if (!network) throw ConfigError("an estimator needs its network");
    return std::make_shared<CudaEstimator>(std::move(network), row);
}

std::shared_ptr<Batch> make_cuda_batch(std::shared_ptr<CudaNetwork> network) {
    if (!network) throw ConfigError("a batch needs its network");
    return std::make_shared<CudaBatch>(std::move(network));
}

}  // namespace fastpose
