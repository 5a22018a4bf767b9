// Which vector instructions the kernels may use on this machine.
#pragma once
#include <string_view>

// A kernel in a *_avx2.cpp or *_avx512.cpp file carries its target in the function itself, so that the file
// needs no compiler flag and no inline function of a header is ever compiled for a CPU that may not be there.
#if defined(__x86_64__) && defined(__GNUC__)
#define FASTPOSE_X86 1
#define FASTPOSE_AVX2 __attribute__((target("avx2,fma")))
#define FASTPOSE_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx2,fma")))
#else
#define FASTPOSE_X86 0
#endif

namespace fastpose {

enum class Isa : int { scalar = 0, avx2 = 1, avx512 = 2 };  // avx2 with FMA; avx512 with BW, VL, DQ and VBMI

// The widest set that CPU and operating system offer. Thread-safe, no allocation.
[[nodiscard]] Isa best_isa() noexcept;
[[nodiscard]] std::string_view name_of(Isa isa) noexcept;
// "auto" gives best_isa(). Throws ConfigError for an unknown name or a set that this CPU lacks.
[[nodiscard]] Isa isa_from(std::string_view name);

}  // namespace fastpose
