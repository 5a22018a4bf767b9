// Finds the splits, exchanges their results for one.
#include "infer/split_outputs_openvino.h"

#include <algorithm>
#include <openvino/op/constant.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/variadic_split.hpp>
#include <vector>

namespace fastpose {
namespace {

using Results = std::vector<std::shared_ptr<ov::op::v0::Result>>;

bool splits_channels_of_one(const ov::Node& node) {
    const auto axis = ov::as_type_ptr<ov::op::v0::Constant>(node.get_input_node_shared_ptr(1));
    const ov::PartialShape& shape = node.get_input_partial_shape(0);
    return axis && axis->cast_vector<std::int64_t>() == std::vector<std::int64_t>{1} && shape.is_static() &&
           shape.size() == 4 && shape[0].get_length() == 1;
}

// The result of each part, in their order; empty unless each has exactly one reader, and that a result.
Results results_of(const ov::Node& split) {
    Results results;
    for (const auto& part : split.outputs()) {
        const auto readers = part.get_target_inputs();
        if (readers.size() != 1 || part.get_names().empty()) return {};
        auto result = ov::as_type_ptr<ov::op::v0::Result>(readers.begin()->get_node()->shared_from_this());
        if (!result) return {};
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace

std::map<std::string, OutputPart> take_out_splits(const std::shared_ptr<ov::Model>& model) {
    std::map<std::string, OutputPart> parts;
    for (const auto& node : model->get_ordered_ops()) {
        if (!ov::is_type<ov::op::v1::VariadicSplit>(node) || !splits_channels_of_one(*node)) continue;
        const Results results = results_of(*node);
        if (results.empty()) continue;
        const std::string whole = node->get_friendly_name() + "/whole";
        std::size_t first = 0;
        for (const auto& part : node->outputs()) {
            const std::size_t channels = part.get_shape()[1];
            for (const std::string& name : part.get_names()) parts[name] = {whole, first, channels};
            first += channels;
        }
        for (const auto& result : results) model->remove_result(result);
        ov::Output<ov::Node> joined = node->input_value(0);
        joined.add_names({whole});
        model->add_results({std::make_shared<ov::op::v0::Result>(joined)});
    }
    return parts;
}

}  // namespace fastpose
