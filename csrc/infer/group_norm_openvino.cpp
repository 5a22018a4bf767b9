// The operation: checks, shares among OpenVINO's workers. See Note [Group normalisation between int8
// convolutions].
#include "infer/group_norm_openvino.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <openvino/core/op_extension.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/group_normalization.hpp>
#include <openvino/op/transpose.hpp>
#include <vector>

#include "infer/group_norm.h"

namespace fastpose {
namespace {

ElementKind kind_of(const ov::element::Type& type) {
    if (type == ov::element::f32) return ElementKind::f32;
    if (type == ov::element::u8) return ElementKind::u8;
    if (type == ov::element::i8) return ElementKind::i8;
    OPENVINO_THROW("GroupNorm: element type ", type, "; allowed are f32, u8, i8");
}

// Statistics of each worker, then gain and shift; grows in the first runs only.
struct Scratch {
    Scratch(std::size_t workers, std::size_t channels) : channels_(channels) {
        static thread_local std::vector<float> memory;
        memory.resize((2 * workers + 2) * channels);
        base_ = memory.data();
    }
    [[nodiscard]] float* sum(std::size_t worker) const { return base_ + 2 * worker * channels_; }
    [[nodiscard]] float* squares(std::size_t worker) const { return sum(worker) + channels_; }

  private:
    std::size_t channels_;
    float* base_;
};

// The pixels from first to last are one worker's.
struct Share {
    std::size_t first, last;
};
Share share_of(std::size_t worker, std::size_t workers, std::size_t pixels) {
    return {pixels * worker / workers, pixels * (worker + 1) / workers};
}

template <typename Job>
void in_parallel(std::size_t workers, const Job& job) {
    tbb::parallel_for(std::size_t{0}, workers, job, tbb::static_partitioner());
}

void add_into_first(const Scratch& scratch, std::size_t workers, std::size_t channels) {
    for (std::size_t worker = 1; worker < workers; ++worker)
        for (std::size_t i = 0; i < 2 * channels; ++i) scratch.sum(0)[i] += scratch.sum(worker)[i];
}

const void* moved(const void* data, ElementKind kind, std::size_t elements) {
    return static_cast<const std::byte*>(data) + elements * (kind == ElementKind::f32 ? sizeof(float) : 1);
}

// The same work on a part of the pixels.
ChannelAffine part_of(const ChannelAffine& whole, const Share& share) {
    ChannelAffine part = whole;
    const std::size_t start = share.first * whole.channels;
    part.pixels = share.last - share.first;
    part.values += start;
    if (whole.residual.kind != ElementKind::none)
        part.residual.data = moved(whole.residual.data, whole.residual.kind, start);
    part.out = const_cast<void*>(moved(whole.out, whole.out_kind, start));
    return part;
}

// One sample: statistics over its pixels, then the affine map that they give.
void normalise(ChannelAffine map, GroupNormFold fold) {
    static const GroupNormKernels kernels = group_norm_kernels(best_isa());
    const auto workers = static_cast<std::size_t>(std::max(1, tbb::this_task_arena::max_concurrency()));
    const Scratch scratch(workers, map.channels);
    in_parallel(workers, [&](std::size_t worker) {
        const Share share = share_of(worker, workers, map.pixels);
        kernels.sums(map.values + share.first * map.channels, share.last - share.first, map.channels,
                     scratch.sum(worker), scratch.squares(worker));
    });
    add_into_first(scratch, workers, map.channels);
    fold.pixels = map.pixels;
    fold.channels = map.channels;
    fold.sum = scratch.sum(0);
    fold.sum_of_squares = scratch.squares(0);
    fold_group_norm(fold, scratch.sum(workers), scratch.squares(workers));
    map.gain = scratch.sum(workers);
    map.shift = scratch.squares(workers);
    in_parallel(workers, [&](std::size_t worker) {
        kernels.affine(part_of(map, share_of(worker, workers, map.pixels)));
    });
}

}  // namespace

GroupNormOp::GroupNormOp(const ov::OutputVector& inputs, std::int64_t groups, float eps)
    : Op(inputs), groups_(groups), eps_(eps) {
    constructor_validate_and_infer_types();
}

ov::element::Type GroupNormOp::output_type() const {
    if (step_ == 0) return ov::element::f32;
    return relu_ ? ov::element::u8 : ov::element::i8;
}

void GroupNormOp::validate_and_infer_types() {
    NODE_VALIDATION_CHECK(this, get_input_size() == 3 || get_input_size() == 4, "takes 3 or 4 inputs");
    NODE_VALIDATION_CHECK(this, groups_ > 0 && step_ >= 0, "groups must be positive, step not negative");
    set_output_type(0, output_type(), get_input_partial_shape(0));
}

std::shared_ptr<ov::Node> GroupNormOp::clone_with_new_inputs(const ov::OutputVector& inputs) const {
    auto copy = std::make_shared<GroupNormOp>();
    copy->set_arguments(inputs);
    copy->groups_ = groups_;
    copy->eps_ = eps_;
    copy->relu_ = relu_;
    copy->step_ = step_;
    copy->residual_scale_ = residual_scale_;
    copy->validate_and_infer_types();
    return copy;
}

bool GroupNormOp::visit_attributes(ov::AttributeVisitor& visitor) {
    visitor.on_attribute("groups", groups_);
    visitor.on_attribute("eps", eps_);
    visitor.on_attribute("relu", relu_);
    visitor.on_attribute("step", step_);
    visitor.on_attribute("residual_scale", residual_scale_);
    return true;
}

bool GroupNormOp::evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const {
    const ov::Shape& shape = inputs[0].get_shape();
    const std::size_t pixels = shape.at(1) * shape.at(2);
    const float step = step_ == 0 ? 1 : step_;
    ChannelAffine batch;
    batch.values = inputs[0].data<const float>();
    if (inputs.size() == 4)
        batch.residual = {inputs[3].data(), kind_of(inputs[3].get_element_type()), residual_scale_ / step};
    batch.relu = relu_;
    batch.out = outputs[0].data();
    batch.out_kind = kind_of(outputs[0].get_element_type());
    batch.channels = shape.at(3);
    GroupNormFold fold;
    fold.groups = static_cast<std::size_t>(groups_);
    fold.gamma = inputs[1].data<const float>();
    fold.beta = inputs[2].data<const float>();
    fold.eps = eps_;
    fold.step = step;
    for (std::size_t sample = 0; sample < shape.at(0); ++sample)
        normalise(part_of(batch, {sample * pixels, (sample + 1) * pixels}), fold);
    return true;
}

namespace {

ov::Output<ov::Node> transposed(const ov::Output<ov::Node>& maps, const std::vector<std::int64_t>& order) {
    const auto axes = ov::op::v0::Constant::create(ov::element::i64, {order.size()}, order);
    return std::make_shared<ov::op::v1::Transpose>(maps, axes);
}

bool is_ours_to_replace(const std::shared_ptr<ov::Node>& node) {
    if (!ov::is_type<ov::op::v12::GroupNormalization>(node)) return false;
    const auto constant = [&](std::size_t port) {
        return ov::is_type<ov::op::v0::Constant>(node->get_input_node_shared_ptr(port));
    };
    const ov::Rank rank = node->get_input_partial_shape(0).rank();
    return constant(1) && constant(2) && rank.is_static() && rank.get_length() == 4 &&
           node->get_input_element_type(0) == ov::element::f32;
}

}  // namespace

void replace_group_normalizations(const std::shared_ptr<ov::Model>& model) {
    for (const auto& node : model->get_ordered_ops()) {
        if (!is_ours_to_replace(node)) continue;
        const auto theirs = ov::as_type_ptr<ov::op::v12::GroupNormalization>(node);
        const ov::OutputVector inputs{transposed(node->input_value(0), {0, 2, 3, 1}), node->input_value(1),
                                      node->input_value(2)};
        const auto ours = std::make_shared<GroupNormOp>(inputs, theirs->get_num_groups(),
                                                        static_cast<float>(theirs->get_epsilon()));
        ov::Output<ov::Node> result = transposed(ours, {0, 3, 1, 2});
        node->output(0).replace(result);
    }
}

ov::Extension::Ptr group_norm_extension() { return std::make_shared<ov::OpExtension<GroupNormOp>>(); }

}  // namespace fastpose
