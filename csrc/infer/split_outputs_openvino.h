// Outputs that are channels of one tensor, read where they lie.
#pragma once
#include <map>
#include <memory>
#include <openvino/core/model.hpp>
#include <string>

namespace fastpose {

// Channels `first` to `first + channels` of the output `whole`, (1, C, H, W).
struct OutputPart {
    std::string whole;
    std::size_t first = 0, channels = 0;
};

// A split along the channels that only makes outputs is taken out of a graph for one frame: its input becomes
// the output, and the parts are found by their names. In channels-first memory they are whole blocks of it,
// so nothing has to be copied; the runtime would copy channel by channel.
[[nodiscard]] std::map<std::string, OutputPart> take_out_splits(const std::shared_ptr<ov::Model>& model);

}  // namespace fastpose
