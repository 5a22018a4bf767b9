// The switch and the thread that waits for it; see Note [Stop].
#include "output/stop_switch.h"

#include <atomic>
#include <new>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/shared_event.h"
#include "base/thread.h"

namespace fastpose {

struct StopLayout {
    std::uint32_t magic;
    std::atomic<std::int32_t> thrown, over;
    std::atomic<std::int64_t> thrown_ns, done_ns;
    SharedEvent event, done;
};

namespace {
constexpr std::uint32_t stop_magic = 0x46505331;  // "FPS1"
constexpr std::int64_t look_ns = 3'600'000'000'000;
constexpr int highest_priority = 80;  // a stop waits for nobody
}  // namespace

StopSwitch::StopSwitch(SharedMemory memory) noexcept
    : memory_(std::move(memory)), layout_(std::launder(reinterpret_cast<StopLayout*>(memory_.data()))) {}

std::unique_ptr<StopSwitch> StopSwitch::create(const std::string& name, std::function<void()> react) {
    std::unique_ptr<StopSwitch> made(new StopSwitch(SharedMemory::create(name, sizeof(StopLayout))));
    made->layout_ = new (made->memory_.data()) StopLayout{};
    made->layout_->magic = stop_magic;
    made->thread_ = std::thread([self = made.get(), react = std::move(react)] { self->run(react); });
    return made;
}

std::unique_ptr<StopSwitch> StopSwitch::attach(const std::string& name) {
    std::unique_ptr<StopSwitch> made(new StopSwitch(SharedMemory::attach(name)));
    if (made->memory_.size() < sizeof(StopLayout) || made->layout_->magic != stop_magic)
        throw DeviceError("shared memory '" + name + "' holds no stop switch of this version");
    return made;
}

StopSwitch::~StopSwitch() {
    if (!thread_.joinable()) return;
    layout_->over = 1;
    layout_->event.notify();
    thread_.join();
}

void StopSwitch::run(const std::function<void()>& react) noexcept {
    set_up_this_thread({.name = "fp-stop", .realtime_priority = highest_priority});
    while (layout_->thrown == 0 && layout_->over == 0)
        wait_for(layout_->event, look_ns, [this] { return layout_->thrown != 0 || layout_->over != 0; });
    if (layout_->thrown == 0) return;
    react();
    layout_->done_ns = now_ns();
    layout_->done.notify();
}

bool StopSwitch::throw_and_wait(std::int64_t timeout_ns) noexcept {
    std::int64_t never = 0;
    layout_->thrown_ns.compare_exchange_strong(never, now_ns());
    layout_->thrown = 1;
    layout_->event.notify();
    return wait_for(layout_->done, timeout_ns, [this] { return layout_->done_ns != 0; });
}

bool StopSwitch::thrown() const noexcept { return layout_->thrown != 0; }

std::int64_t StopSwitch::reaction_ns() const noexcept {
    return layout_->done_ns == 0 ? 0 : layout_->done_ns - layout_->thrown_ns;
}

}  // namespace fastpose
