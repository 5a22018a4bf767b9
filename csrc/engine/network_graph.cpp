// Launches, with the call between them where there is one.
#include "engine/network_graph.h"

namespace fastpose {

bool NetworkGraph::launch(CudaLastError& error, const char* what) noexcept {
    const CudaHandle stream = network_->stream().handle();
    if (!error.good(*calls_, first_->launch(stream), "to launch the graph")) return false;
    if (!second_) return true;
    if (network_->call()())
        return error.good(*calls_, second_->launch(stream), "to launch the graph behind the network");
    error.refused(what);
    static_cast<void>(calls_->synchronize(stream));
    return false;
}

std::string NetworkGraph::description() const {
    const std::string graphs = second_ ? "two graphs around a call of the network" : "one graph";
    return graphs + ", " + std::to_string(nodes_) + " nodes";
}

}  // namespace fastpose
