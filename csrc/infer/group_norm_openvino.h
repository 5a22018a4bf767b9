// Group normalisation as an operation of OpenVINO graphs.
#pragma once
#include <openvino/core/extension.hpp>
#include <openvino/core/model.hpp>
#include <openvino/op/op.hpp>

namespace fastpose {

// Inputs: maps (1, H, W, C) float32; gamma (C), beta (C) float32 constants; optionally a residual of the
// maps' shape, f32, u8 or i8. Attributes: groups, eps; relu; step: what one count of the output means, which
// is then u8 (with relu) or i8, 0 for a float32 output; residual_scale: what one count of the residual means.
//
// Note [Group normalisation between int8 convolutions]: OpenVINO computes group normalisation in float32 on
// channels-first maps, several passes with a reordering on either side, while its int8 convolutions are
// channels-last. Here it is two passes over the convolution's own output, and the second writes what the next
// convolution reads: bytes. The graph says so by transpositions, which cost nothing: channels-last memory
// seen as (N, C, H, W) is channels-first memory seen as (N, H, W, C).
class GroupNormOp final : public ov::op::Op {
  public:
    OPENVINO_OP("GroupNorm", "fastpose");
    GroupNormOp() = default;
    // Maps (N, H, W, C), gamma and beta: float32 in, float32 out.
    GroupNormOp(const ov::OutputVector& inputs, std::int64_t groups, float eps);

    void validate_and_infer_types() override;
    [[nodiscard]] std::shared_ptr<ov::Node> clone_with_new_inputs(
        const ov::OutputVector& inputs) const override;
    bool visit_attributes(ov::AttributeVisitor& visitor) override;
    [[nodiscard]] bool has_evaluate() const override { return true; }
    bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override;

  private:
    [[nodiscard]] ov::element::Type output_type() const;

    std::int64_t groups_ = 32;
    float eps_ = 1e-5F;
    bool relu_ = false;
    float step_ = 0;
    float residual_scale_ = 1;
};

// For ov::Core::add_extension.
[[nodiscard]] ov::Extension::Ptr group_norm_extension();

// Replaces OpenVINO's own operation where its scale and shift are constants: with static shapes, version
// 2026.4 ends the process while it compiles one for a CPU with AVX-512.
void replace_group_normalizations(const std::shared_ptr<ov::Model>& model);

}  // namespace fastpose
