// Replaces the global operator new and delete; in a file of its own, so that no compiler sees through it.
#include "allocation_counter.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::int64_t> allocations{0};
std::atomic<bool> counting{false};

void* counted(std::size_t bytes) {
    if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1);
    if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace fastpose {

void start_counting_allocations() noexcept {
    allocations.store(0);
    counting.store(true);
}

std::int64_t stop_counting_allocations() noexcept {
    counting.store(false);
    return allocations.load();
}

}  // namespace fastpose
