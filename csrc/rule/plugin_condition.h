// A condition of another package (plugin.h) as one of ours.
#pragma once
#include <memory>

#include "rule/plugin.h"
#include "rule/rule.h"

namespace fastpose {

// `owner` keeps the plug-in's memory and code alive and is let go with the condition. Throws ConfigError if
// it has no evaluate function or was compiled for another version of the interface.
[[nodiscard]] std::unique_ptr<Condition> make_plugin_condition(const fp_rule& rule, double min_likelihood,
                                                               std::shared_ptr<void> owner = {});

}  // namespace fastpose
