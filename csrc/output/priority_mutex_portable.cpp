// PriorityMutex where nothing is known of the system: a plain mutex, which inherits no priority.
#include <mutex>

#include "output/priority_mutex.h"

namespace fastpose {

struct PriorityMutex::Native {
    std::mutex mutex;
};

PriorityMutex::PriorityMutex() : native_(std::make_unique<Native>()) {}

PriorityMutex::~PriorityMutex() = default;

void PriorityMutex::lock() noexcept { native_->mutex.lock(); }

void PriorityMutex::unlock() noexcept { native_->mutex.unlock(); }

}  // namespace fastpose
