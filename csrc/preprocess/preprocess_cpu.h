// The CPU preprocessor with the instruction set chosen by the caller, for tests and benches.
#pragma once
#include <memory>

#include "base/cpu_features.h"
#include "preprocess/preprocess.h"

namespace fastpose {

// isa must not be wider than best_isa(). Throws ConfigError as make_preprocessor(spec) does.
[[nodiscard]] std::unique_ptr<Preprocessor> make_preprocessor(const PreprocessSpec& spec, Isa isa);

}  // namespace fastpose
