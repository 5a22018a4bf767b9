// From frames to poses on a GPU: upload, preprocess, network, decode and download, one launch and one wait.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cuda/last_error.h"
#include "engine/batch.h"
#include "engine/cuda_results.h"
#include "engine/device_network.h"
#include "engine/estimator.h"
#include "engine/network_graph.h"
#include "preprocess/preprocess_cuda.h"

namespace fastpose {

struct CudaNetworkSpec {
    int device = 0;
    std::vector<PreprocessSpec> rows;  // one for each row of the batch: a camera, or a crop
    DeviceTensor input;
    std::vector<DeviceTensor> outputs;
    CudaDecodeSpec decode;
    int individuals = 1, bodyparts = 0;  // of the pose
    bool high_priority = true;           // of the stream
    bool stage_times = true;             // events between the stages, about 1 us each
    bool whole_frames = false;           // all of a frame is uploaded, densely, for users' own kernels
};

// Of the last run, ns. The first five by the GPU's clock, the others by the host's: launch until the graph
// was handed over, wait from then on.
struct CudaStageTimes {
    std::int64_t upload = 0, preprocess = 0, network = 0, decode = 0, download = 0;
    std::int64_t launch = 0, wait = 0;
};

// Note [One graph]: The graph is made once. What changes from frame to frame are the source and the length of
// the upload, set on its copy nodes, and RowParameters, which a copy node of the graph brings: the corner of
// the roi, the stride, the way back to the sensor. So nothing is captured or instantiated again.
//
// Note [GPU time]: Events tell differences in GPU time. The last one is tied to the moment at which the wait
// returned, so a stamp is late by as long as the wait takes to notice, a few us, and never early; it holds
// for one frame only, so that clocks which drift apart do no harm.
//
// A frame in registered memory is uploaded from where it lies, another one is first copied to pinned memory.
// Thread-bound: set-up, which throws ConfigError and DeviceError, may be on another thread than run(). run(),
// move_roi() and warm_up() neither throw nor allocate.
class CudaNetwork {
  public:
    CudaNetwork(CudaCalls& calls, CudaNetworkSpec spec);
    ~CudaNetwork();

    [[nodiscard]] DeviceNetwork& network() noexcept { return network_; }
    // The network is made: builds the graph and runs it once.
    void finish();
    // Pins it, once for all networks.
    void use_ring(const std::shared_ptr<Ring>& ring);
    void register_memory(std::shared_ptr<const RegisteredMemory> memory);

    // As Batch::run.
    [[nodiscard]] bool run(std::span<const BatchItem> items) noexcept;
    [[nodiscard]] std::int64_t warm_up() noexcept;
    void move_roi(int row, int x, int y) noexcept;
    [[nodiscard]] Roi roi(int row) const noexcept;
    [[nodiscard]] int rows() const noexcept { return static_cast<int>(rows_.size()); }
    [[nodiscard]] const char* last_error() const noexcept { return last_error_.text(); }
    [[nodiscard]] CudaStageTimes last_times() const noexcept { return times_; }
    [[nodiscard]] std::string description() const;
    [[nodiscard]] const CudaNetworkSpec& spec() const noexcept { return spec_; }
    // The row's frame on the device, its rows `device_stride` apart.
    [[nodiscard]] std::uint8_t* device_frame(int row) const noexcept;
    [[nodiscard]] std::ptrdiff_t device_stride(int row) const noexcept;

  private:
    struct Row;
    enum Stage : std::size_t { begun = 0, uploaded, preprocessed, inferred, decoded, downloaded, stages };

    void check() const;
    using Nodes = CudaResults::Nodes;
    [[nodiscard]] Nodes add_input(CudaGraph& graph);
    [[nodiscard]] Nodes add_uploads(CudaGraph& graph, const Nodes& after);
    void add_results(CudaGraph& graph, Nodes after);
    [[nodiscard]] Nodes add_stamp(CudaGraph& graph, Nodes after, Stage stage);

    [[nodiscard]] bool take_frames(std::span<const BatchItem> items) noexcept;
    [[nodiscard]] bool is_pinned(const FrameView& frame) const noexcept;
    void stamp(std::span<const BatchItem> items, std::int64_t done_ns) noexcept;
    [[nodiscard]] std::int64_t elapsed_ns(Stage from, Stage to) const noexcept;
    void deliver(const BatchItem& item, int row) noexcept;

    CudaCalls* calls_;
    CudaNetworkSpec spec_;
    std::string device_name_;
    DeviceNetwork network_;
    std::vector<std::unique_ptr<Row>> rows_;
    PinnedMemory parameters_;         // RowParameters of each row
    DeviceMemory device_parameters_;  // the same
    std::unique_ptr<CudaResults> results_;
    std::vector<CudaEvent> events_;
    std::vector<std::shared_ptr<const RegisteredMemory>> registered_;
    std::unique_ptr<NetworkGraph> graph_;
    CudaStageTimes times_;
    CudaLastError last_error_{spec_.device};
};

// A row as an estimator; what runs is the whole batch. Its roi may follow the animal, see make_track_roi.
[[nodiscard]] std::shared_ptr<MovingEstimator> make_cuda_estimator(std::shared_ptr<CudaNetwork> network,
                                                                   int row = 0);
[[nodiscard]] std::shared_ptr<Batch> make_cuda_batch(std::shared_ptr<CudaNetwork> network);

}  // namespace fastpose
