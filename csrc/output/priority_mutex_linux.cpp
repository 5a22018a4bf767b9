// PriorityMutex by pthread with PTHREAD_PRIO_INHERIT: without it a busy thread of middle priority could keep
// the loop waiting for a preempted holder.
#include <pthread.h>

#include "output/priority_mutex.h"

namespace fastpose {

struct PriorityMutex::Native {
    pthread_mutex_t mutex;
};

PriorityMutex::PriorityMutex() : native_(std::make_unique<Native>()) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&native_->mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

PriorityMutex::~PriorityMutex() { pthread_mutex_destroy(&native_->mutex); }

void PriorityMutex::lock() noexcept { pthread_mutex_lock(&native_->mutex); }

void PriorityMutex::unlock() noexcept { pthread_mutex_unlock(&native_->mutex); }

}  // namespace fastpose
