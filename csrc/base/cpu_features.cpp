// Run-time detection of vector instructions.
#include "base/cpu_features.h"

#include <string>

#include "base/error.h"

namespace fastpose {

Isa best_isa() noexcept {
#if FASTPOSE_X86
    if (__builtin_cpu_supports("avx2") == 0 || __builtin_cpu_supports("fma") == 0) return Isa::scalar;
    const bool avx512 = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                        __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
                        __builtin_cpu_supports("avx512vbmi") != 0;
    return avx512 ? Isa::avx512 : Isa::avx2;
#else
    return Isa::scalar;
#endif
}

std::string_view name_of(Isa isa) noexcept {
    switch (isa) {
        case Isa::avx2:
            return "avx2";
        case Isa::avx512:
            return "avx512";
        default:
            return "scalar";
    }
}

Isa isa_from(std::string_view name) {
    const Isa best = best_isa();
    if (name == "auto") return best;
    for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
        if (name != name_of(isa)) continue;
        if (isa <= best) return isa;
        throw ConfigError("isa is '" + std::string(name) + "', which this CPU lacks; the widest here is '" +
                          std::string(name_of(best)) + "', or use 'auto'");
    }
    throw ConfigError("isa is '" + std::string(name) + "'; allowed: auto, scalar, avx2, avx512");
}

}  // namespace fastpose
