// What was seen within a window of exposure time.
#pragma once
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fastpose {

// The values of the last window_ns, oldest first, in a ring that never grows: values that come closer than
// window / capacity are thinned out, so that any rate fits and the window keeps its length.
template <class Value>
class History {
  public:
    struct Sample {
        std::int64_t time_ns;
        Value value;
    };

    explicit History(std::int64_t window_ns, std::size_t capacity = 1024)
        : window_ns_(window_ns),
          spacing_ns_(window_ns / static_cast<std::int64_t>(capacity - 1) + 1),
          samples_(capacity) {}

    void forget_before(std::int64_t now_ns) noexcept {
        while (count_ > 0 && now_ns - oldest().time_ns > window_ns_) {
            first_ = (first_ + 1) % samples_.size();
            --count_;
        }
    }

    void add(std::int64_t now_ns, const Value& value) noexcept {
        if (count_ > 0 && now_ns - at(count_ - 1).time_ns < spacing_ns_) return;
        assert(count_ < samples_.size());  // spacing x capacity is more than the window
        samples_[(first_ + count_) % samples_.size()] = {now_ns, value};
        ++count_;
    }

    void clear() noexcept { count_ = 0; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    // Oldest first.
    [[nodiscard]] const Sample& at(std::size_t index) const noexcept {
        return samples_[(first_ + index) % samples_.size()];
    }
    // Not to be asked of an empty one.
    [[nodiscard]] const Sample& oldest() const noexcept { return at(0); }
    // Whether there is a value from before now_ns.
    [[nodiscard]] bool reaches_back(std::int64_t now_ns) const noexcept {
        return count_ > 0 && oldest().time_ns < now_ns;
    }
    // How many are at or before a time.
    [[nodiscard]] std::size_t count_until(std::int64_t time_ns) const noexcept {
        std::size_t low = 0, high = count_;
        while (low < high) {
            const std::size_t middle = (low + high) / 2;
            if (at(middle).time_ns <= time_ns)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

  private:
    std::int64_t window_ns_;
    std::int64_t spacing_ns_;
    std::vector<Sample> samples_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

// Of a window given in ms; throws ConfigError unless it is above 0 and at most a minute.
[[nodiscard]] std::int64_t checked_window_ns(double window_ms);

}  // namespace fastpose
