// Multiply-adds a second that this CPU does when everything lies in registers, by data type and instruction set.
//
// Prints a line for each that this CPU has: NAME TYPE GIGA_OPERATIONS_PER_SECOND (a multiply-add is two), on
// as many threads as the argument says. Twelve independent sums hide the latency of the instruction.

#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

constexpr int kSums = 12;
constexpr long kRepeats = 4'000'000;

// What the compiler may not remove.
std::atomic<float> sink{0.0F};

__attribute__((target("avx2,fma"))) void fp32_avx2(long repeats) {
  __m256 sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  __m256 a = _mm256_set1_ps(0.9999F);
  __m256 b = _mm256_set1_ps(1e-3F);
  for (long n = 0; n < repeats; ++n) {
    asm volatile("" : "+x"(a), "+x"(b));
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm256_fmadd_ps(sums[i], a, b);
  }
  __m256 total = sums[0];
  for (int i = 1; i < kSums; ++i) total = _mm256_add_ps(total, sums[i]);
  sink = sink + _mm256_cvtss_f32(total);
}

__attribute__((target("avx512f"))) void fp32_avx512(long repeats) {
  __m512 sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  __m512 a = _mm512_set1_ps(0.9999F);
  __m512 b = _mm512_set1_ps(1e-3F);
  for (long n = 0; n < repeats; ++n) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_fmadd_ps(sums[i], a, b);
  }
  __m512 total = sums[0];
  for (int i = 1; i < kSums; ++i) total = _mm512_add_ps(total, sums[i]);
  sink = sink + _mm512_cvtss_f32(total);
}

__attribute__((target("avx512f,avx512bf16"))) void bf16_avx512(long repeats) {
  __m512 sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  __m512i a = _mm512_set1_epi16(0x3f80);
  __m512i b = _mm512_set1_epi16(0x3a80);
  for (long n = 0; n < repeats; ++n) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_dpbf16_ps(sums[i], (__m512bh)a, (__m512bh)b);
  }
  __m512 total = sums[0];
  for (int i = 1; i < kSums; ++i) total = _mm512_add_ps(total, sums[i]);
  sink = sink + _mm512_cvtss_f32(total);
}

__attribute__((target("avx512f,avx512vnni"))) void int8_avx512(long repeats) {
  __m512i sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = _mm512_set1_epi32(i);
  __m512i a = _mm512_set1_epi8(3);
  __m512i b = _mm512_set1_epi8(5);
  for (long n = 0; n < repeats; ++n) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
  }
  __m512i total = sums[0];
  for (int i = 1; i < kSums; ++i) total = _mm512_add_epi32(total, sums[i]);
  sink = sink + static_cast<float>(_mm512_cvtsi512_si32(total));
}

// Without VNNI: pairs of products of bytes to 16 bits, pairs of those to 32.
__attribute__((target("avx2"))) void int8_avx2(long repeats) {
  __m256i sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = _mm256_set1_epi32(i);
  __m256i a = _mm256_set1_epi8(3);
  __m256i b = _mm256_set1_epi8(5);
  const __m256i ones = _mm256_set1_epi16(1);
  for (long n = 0; n < repeats; ++n) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) {
      asm volatile("" : "+x"(a), "+x"(b));  // else one product would serve all sums
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
    }
  }
  __m256i total = sums[0];
  for (int i = 1; i < kSums; ++i) total = _mm256_add_epi32(total, sums[i]);
  sink = sink + static_cast<float>(_mm256_cvtsi256_si32(total));
}

struct Kernel {
  const char* name;
  const char* type;
  bool here;
  int lanes;  // multiply-adds of one instruction
  void (*run)(long);
};

double seconds(const Kernel& kernel, int threads, long repeats) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) workers.emplace_back(kernel.run, repeats);
  for (auto& worker : workers) worker.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Best of thirty: what else runs on the machine only makes it slower.
double giga_operations(const Kernel& kernel, int threads) {
  double best = 1e9;
  for (int i = 0; i < 30; ++i) best = std::min(best, seconds(kernel, threads, kRepeats));
  return 2.0 * kernel.lanes * kSums * static_cast<double>(kRepeats) * threads / best / 1e9;
}

}  // namespace

int main(int count, char** arguments) {
  const int threads = count > 1 ? std::atoi(arguments[1]) : 1;
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f");
  const Kernel kernels[] = {
      {"avx2", "fp32", __builtin_cpu_supports("fma") != 0, 8, fp32_avx2},
      {"avx512", "fp32", avx512, 16, fp32_avx512},
      {"avx512_bf16", "bf16", __builtin_cpu_supports("avx512bf16") != 0, 32, bf16_avx512},
      {"avx2", "int8", __builtin_cpu_supports("avx2") != 0, 32, int8_avx2},
      {"avx512_vnni", "int8", avx512 && __builtin_cpu_supports("avx512vnni"), 64, int8_avx512},
  };
  for (const Kernel& kernel : kernels) {
    if (kernel.here) std::printf("%s %s %.1f\n", kernel.name, kernel.type, giga_operations(kernel, threads));
  }
}
