// Allocation in set-up, release at the end: failures of a release cannot be told and are not.
#include "cuda/memory.h"

#include <cstring>

#include "cuda/cuda_check.h"

namespace fastpose {

DeviceMemory::DeviceMemory(CudaCalls& calls, std::size_t bytes) : OwnedMemory(calls, bytes) {
    if (bytes == 0) return;
    check_cuda(calls, calls.allocate(memory_, bytes), "to allocate device memory");
    check_cuda(calls, calls.clear(memory_, bytes), "to clear device memory");
}

DeviceMemory on_device(CudaCalls& calls, std::span<const std::byte> bytes) {
    DeviceMemory memory(calls, bytes.size());
    if (!bytes.empty())
        check_cuda(calls, calls.copy(memory.data(), bytes.data(), bytes.size()), "to copy to the device");
    return memory;
}

PinnedMemory::PinnedMemory(CudaCalls& calls, std::size_t bytes) : OwnedMemory(calls, bytes) {
    if (bytes == 0) return;
    check_cuda(calls, calls.allocate_pinned(memory_, bytes), "to allocate pinned memory");
    std::memset(memory_, 0, bytes);
}

RegisteredMemory::RegisteredMemory(CudaCalls& calls, std::span<std::uint8_t> memory)
    : calls_(&calls), memory_(memory) {
    check_cuda(calls, calls.register_pinned(memory.data(), memory.size()), "to pin a frame buffer");
}

RegisteredMemory::~RegisteredMemory() { static_cast<void>(calls_->unregister_pinned(memory_.data())); }

}  // namespace fastpose
