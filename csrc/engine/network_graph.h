// A network between what comes before it and what follows: one graph, or two around a call of it.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "cuda/graph.h"
#include "cuda/last_error.h"
#include "engine/device_network.h"

namespace fastpose {

// Thread-bound; set-up throws DeviceError and ConfigError, launch() neither throws nor allocates.
class NetworkGraph {
  public:
    using Nodes = std::vector<GraphNode>;  // that what follows waits for

    // before(CudaGraph&) -> Nodes; behind(CudaGraph&, Nodes). The network is made, and must outlive this.
    template <class Before, class Behind>
    NetworkGraph(CudaCalls& calls, DeviceNetwork& network, Before before, Behind behind)
        : calls_(&calls), network_(&network) {
        network.require_made();
        CudaGraph graph(calls);
        const Nodes ready = before(graph);
        if (network.call()) {
            CudaGraph second(calls);
            behind(second, Nodes{});
            second_ = std::make_unique<GraphInstance>(calls, second);
            nodes_ = second.nodes();
        } else {
            behind(graph, Nodes{network.add_to(graph, ready)});
        }
        first_ = std::make_unique<GraphInstance>(calls, graph);
        nodes_ += graph.nodes();
    }

    // Where copies before the network are pointed at something else.
    [[nodiscard]] GraphInstance& first() noexcept { return *first_; }
    // False: the error says why; what: the network may refuse.
    [[nodiscard]] bool launch(CudaLastError& error, const char* what) noexcept;
    // "one graph, 9 nodes"
    [[nodiscard]] std::string description() const;

  private:
    CudaCalls* calls_;
    DeviceNetwork* network_;
    std::unique_ptr<GraphInstance> first_, second_;  // second: behind a network that is called
    int nodes_ = 0;
};

}  // namespace fastpose
