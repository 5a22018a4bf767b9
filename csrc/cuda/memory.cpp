// Allocation in set-up, release at the end: failures of a release cannot be told and are not.
#include "cuda/memory.h"

#include <cstring>

#include "cuda/cuda_check.h"

namespace fastpose {

DeviceMemory::DeviceMemory(CudaCalls& calls, std::size_t bytes) : calls_(&calls), bytes_(bytes) {
    if (bytes == 0) return;
    check_cuda(calls, calls.allocate(memory_, bytes), "to allocate device memory");
    const int error = calls.clear(memory_, bytes);
    if (error != 0) reset();
    check_cuda(calls, error, "to clear device memory");
}

void DeviceMemory::reset() noexcept {
    if (memory_ != nullptr) static_cast<void>(calls_->free(memory_));
    memory_ = nullptr;
}

DeviceMemory on_device(CudaCalls& calls, std::span<const std::byte> bytes) {
    DeviceMemory memory(calls, bytes.size());
    if (!bytes.empty())
        check_cuda(calls, calls.copy(memory.data(), bytes.data(), bytes.size()), "to copy to the device");
    return memory;
}

PinnedMemory::PinnedMemory(CudaCalls& calls, std::size_t bytes) : calls_(&calls), bytes_(bytes) {
    if (bytes == 0) return;
    check_cuda(calls, calls.allocate_pinned(memory_, bytes), "to allocate pinned memory");
    std::memset(memory_, 0, bytes);
}

void PinnedMemory::reset() noexcept {
    if (memory_ != nullptr) static_cast<void>(calls_->free_pinned(memory_));
    memory_ = nullptr;
}

RegisteredMemory::RegisteredMemory(CudaCalls& calls, std::span<std::uint8_t> memory)
    : calls_(&calls), memory_(memory) {
    check_cuda(calls, calls.register_pinned(memory.data(), memory.size()), "to pin a frame buffer");
}

RegisteredMemory::~RegisteredMemory() { static_cast<void>(calls_->unregister_pinned(memory_.data())); }

}  // namespace fastpose
