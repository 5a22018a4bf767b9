// The heatmap decoder with the instruction set chosen by the caller, for tests and benches.
#pragma once
#include <memory>

#include "base/cpu_features.h"
#include "decode/decoder.h"

namespace fastpose {

// isa must not be wider than best_isa(). Throws ConfigError as make_heatmap_decoder(spec) does.
[[nodiscard]] std::unique_ptr<Decoder> make_heatmap_decoder(const HeatmapDecoderSpec& spec, Isa isa);

}  // namespace fastpose
