// Several animals on a GPU: a detector's graph, its boxes on the host, then the graph of their crops.
#pragma once
#include <memory>

#include "engine/box_finder.h"
#include "engine/cuda_crops.h"
#include "engine/cuda_network.h"

namespace fastpose {

// detector: of one row, decoded by `boxes` on the host; crops: of the frames that it uploads. Otherwise as
// make_top_down(). Throws ConfigError.
[[nodiscard]] std::shared_ptr<Estimator> make_cuda_top_down(std::shared_ptr<CudaNetwork> detector,
                                                            std::shared_ptr<BoxFinder> boxes,
                                                            std::shared_ptr<CudaCrops> crops);

}  // namespace fastpose
