// Gathers the kernels of the stages. FASTPOSE_CUDA_ARCHITECTURES: what they were compiled for, by CMake.
#include "engine/kernels_cuda.h"

#include <sstream>

#include "cuda/runtime_calls.h"

extern "C" const void* fastpose_preprocess_kernel(int kernel);
extern "C" const void* fastpose_crop_kernel(int kernel);
extern "C" const void* fastpose_decode_kernel(int kernel);
extern "C" const void* fastpose_lists_kernel(int kernel);

namespace fastpose {
namespace {

DeviceKernels device_kernels() {
    DeviceKernels kernels{};
    for (std::size_t i = 0; i < kernels.size(); ++i) {
        const int id = static_cast<int>(i);
        for (const auto address : {fastpose_preprocess_kernel, fastpose_crop_kernel, fastpose_decode_kernel,
                                   fastpose_lists_kernel})
            if (kernels[i] == nullptr) kernels[i] = address(id);
    }
    return kernels;
}

// "75-real" -> "7.5"; "120" and "120-virtual", which hold text for the driver's compiler -> "12.0+ptx".
std::string in_words(const std::string& architecture) {
    const std::string digits = architecture.substr(0, architecture.find('-'));
    const bool real = architecture.ends_with("-real");
    return digits.substr(0, digits.size() - 1) + "." + digits.back() + (real ? "" : "+ptx");
}

std::vector<std::string> architectures() {
    std::istringstream list(FASTPOSE_CUDA_ARCHITECTURES);
    std::vector<std::string> found;
    for (std::string one; std::getline(list, one, ',');) found.push_back(in_words(one));
    return found;
}

}  // namespace

CudaCalls& system_cuda_calls() {
    static const std::unique_ptr<CudaCalls> calls = make_runtime_calls(device_kernels(), architectures());
    return *calls;
}

}  // namespace fastpose
