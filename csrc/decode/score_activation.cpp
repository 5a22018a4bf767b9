// Names of activations.
#include <string>

#include "base/error.h"
#include "decode/decoder.h"

namespace fastpose {

ScoreActivation activation_from(std::string_view name) {
    if (name == "none") return ScoreActivation::none;
    if (name == "sigmoid") return ScoreActivation::sigmoid;
    if (name == "clip") return ScoreActivation::clip;
    throw ConfigError("activation is '" + std::string(name) + "'; allowed: none, sigmoid, clip");
}

}  // namespace fastpose
