// What is registered is known by its address for as long as somebody has it.
#include "engine/pinned_ring.h"

#include <map>
#include <mutex>

#include "base/error.h"

namespace fastpose {
namespace {

// All slots, which lie one behind the other.
std::span<std::uint8_t> memory_of(const Ring& ring) {
    const auto first = ring.buffer(0), last = ring.buffer(ring.spec().slots - 1);
    return {first.data(), static_cast<std::size_t>(last.data() + last.size() - first.data())};
}

std::shared_ptr<const RegisteredMemory> registered(CudaCalls& calls, const std::shared_ptr<Ring>& ring) {
    auto memory = std::make_unique<RegisteredMemory>(calls, memory_of(*ring));
    // The deleter itself lives as long as the weak pointer in the list: it lets the ring go when it is
    // called.
    return {memory.release(), [kept = ring](const RegisteredMemory* owned) mutable {
                delete owned;
                kept.reset();
            }};
}

}  // namespace

std::shared_ptr<const RegisteredMemory> pinned_ring(CudaCalls& calls, const std::shared_ptr<Ring>& ring) {
    static std::mutex mutex;
    static std::map<std::pair<const CudaCalls*, const Ring*>, std::weak_ptr<const RegisteredMemory>> known;
    if (!ring) throw ConfigError("a ring to pin is missing");
    const std::lock_guard lock(mutex);
    std::erase_if(known, [](const auto& one) { return one.second.expired(); });
    auto& place = known[{&calls, ring.get()}];
    auto memory = place.lock();
    if (!memory) place = memory = registered(calls, ring);
    return memory;
}

}  // namespace fastpose
