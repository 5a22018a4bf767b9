// A frame ring as pinned memory, registered once however many networks read from it.
#pragma once
#include <memory>

#include "cuda/memory.h"
#include "frame/ring.h"

namespace fastpose {

// It keeps the ring. Thread-safe. Throws DeviceError.
[[nodiscard]] std::shared_ptr<const RegisteredMemory> pinned_ring(CudaCalls& calls,
                                                                  const std::shared_ptr<Ring>& ring);

}  // namespace fastpose
