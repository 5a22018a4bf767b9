// Memory whose last byte is followed by a page that must not be touched: reading beyond it ends the test
// program.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <new>

namespace fastpose {

class GuardedMemory {
  public:
    explicit GuardedMemory(std::size_t bytes) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t usable = (bytes + page - 1) / page * page;
        mapped_ = usable + page;
        void* start = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (start == MAP_FAILED) throw std::bad_alloc();
        start_ = static_cast<std::uint8_t*>(start);
        mprotect(start_ + usable, page, PROT_NONE);
        data_ = start_ + (usable - bytes);
    }
    ~GuardedMemory() { munmap(start_, mapped_); }
    GuardedMemory(const GuardedMemory&) = delete;
    GuardedMemory& operator=(const GuardedMemory&) = delete;

    [[nodiscard]] std::uint8_t* data() const noexcept { return data_; }

  private:
    std::uint8_t* start_ = nullptr;
    std::uint8_t* data_ = nullptr;
    std::size_t mapped_ = 0;
};

}  // namespace fastpose
