// The parts of SharedMemory that are the same on every system.
#include "base/shared_memory.h"

#include <utility>

namespace fastpose {

SharedMemory::SharedMemory(std::string name, std::byte* data, std::size_t size, bool owner) noexcept
    : name_(std::move(name)), data_(data), size_(size), owner_(owner) {}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : name_(std::move(other.name_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      owner_(std::exchange(other.owner_, false)) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
    if (this == &other) return *this;
    release();
    name_ = std::move(other.name_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    owner_ = std::exchange(other.owner_, false);
    return *this;
}

SharedMemory::~SharedMemory() { release(); }

}  // namespace fastpose
