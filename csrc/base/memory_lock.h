// Keeps the memory of the process in RAM: a page that has to come back from the disk costs milliseconds.
#pragma once
#include <cstdint>

namespace fastpose {

struct MemoryGrant {
    bool present = false;           // what the process has mapped stays in RAM once it has been touched
    bool future = false;            // and so does what it maps from now on
    std::int64_t locked_bytes = 0;  // mapped at the call; 0 where not known
};

// Never fails: what was refused stays false. Where the amount is limited, only present memory is locked: an
// allocation beyond the limit would fail.
MemoryGrant lock_memory() noexcept;

// Ends what as many calls of lock_memory() began.
void unlock_memory() noexcept;

}  // namespace fastpose
