// GPIO over a chip of the test's own, that checks every request as the kernel would.
#include <gtest/gtest.h>
#include <linux/gpio.h>

#include <cerrno>
#include <map>
#include <set>
#include <string>

#include "base/error.h"
#include "output/gpio_calls.h"
#include "output/gpio_output.h"

namespace fastpose {
namespace {

// /dev/gpiochip0 with 8 lines, of which line 7 is somebody else's.
class FakeChip final : public GpioCalls {
  public:
    int open(const char* path) noexcept override {
        if (std::string(path) != "/dev/gpiochip0") return -ENOENT;
        open_.insert(next_);
        return next_++;
    }
    void close(int fd) noexcept override {
        EXPECT_EQ(open_.erase(fd), 1U);
        lines_.erase(fd);
    }
    int control(int fd, unsigned long request, void* argument) noexcept override {
        EXPECT_TRUE(open_.contains(fd));
        if (unplugged) return -ENODEV;
        if (request == GPIO_V2_GET_LINE_IOCTL) return give(*static_cast<gpio_v2_line_request*>(argument));
        if (request == GPIO_V2_LINE_SET_VALUES_IOCTL && lines_.contains(fd))
            return set(fd, *static_cast<gpio_v2_line_values*>(argument));
        return -ENOTTY;
    }
    bool unplugged = false;
    std::map<int, bool> pins;  // physical level

  private:
    int give(gpio_v2_line_request& request) {
        const int line = static_cast<int>(request.offsets[0]);
        if (request.num_lines != 1 || line >= 8 || (request.config.flags & GPIO_V2_LINE_FLAG_OUTPUT) == 0)
            return -EINVAL;
        for (const auto& [fd, taken] : lines_)
            if (taken == line) return -EBUSY;
        if (line == 7) return -EBUSY;
        request.fd = next_++;
        open_.insert(request.fd);
        lines_[request.fd] = line;
        inverted_[line] = (request.config.flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0;
        const auto& attribute = request.config.attrs[0];
        EXPECT_EQ(request.config.num_attrs, 1U);
        EXPECT_EQ(attribute.attr.id, static_cast<unsigned>(GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES));
        pins[line] = ((attribute.attr.values & attribute.mask) != 0) != inverted_[line];
        return 0;
    }
    int set(int fd, const gpio_v2_line_values& values) {
        const int line = lines_[fd];
        if ((values.mask & 1U) != 0) pins[line] = ((values.bits & 1U) != 0) != inverted_[line];
        return 0;
    }
    int next_ = 3;
    std::set<int> open_;
    std::map<int, int> lines_;  // of a descriptor
    std::map<int, bool> inverted_;
};

std::string refusal(const GpioSpec& spec, FakeChip& chip) {
    try {
        const GpioOutput line(spec, chip);
    } catch (const OutputError& error) {
        return error.what();
    }
    return "";
}

TEST(GpioOutput, MovesItsPin) {
    FakeChip chip;
    GpioOutput line({.line = 4}, chip);
    EXPECT_FALSE(chip.pins[4]);
    EXPECT_TRUE(line.write(true));
    EXPECT_TRUE(chip.pins[4]);
    EXPECT_TRUE(line.write(false));
    EXPECT_FALSE(chip.pins[4]);
    EXPECT_EQ(line.description(), "line 4 of /dev/gpiochip0");
}

TEST(GpioOutput, ActiveLowAndFirstLevel) {
    FakeChip chip;
    GpioOutput inverted({.line = 1, .active_low = true}, chip);
    EXPECT_TRUE(chip.pins[1]);
    EXPECT_TRUE(inverted.write(true));
    EXPECT_FALSE(chip.pins[1]);
    const GpioOutput high({.line = 2, .initial_high = true}, chip);
    EXPECT_TRUE(chip.pins[2]);
}

TEST(GpioOutput, SaysWhyALineCannotBeHad) {
    FakeChip chip;
    EXPECT_NE(refusal({.chip = "/dev/gpiochip9"}, chip).find("No such file"), std::string::npos);
    EXPECT_NE(refusal({.line = 7}, chip).find("another program"), std::string::npos);
    EXPECT_NE(refusal({.line = 12}, chip).find("no such line"), std::string::npos);
    const GpioOutput line({.line = 0}, chip);
    EXPECT_NE(refusal({.line = 0}, chip).find("another program"), std::string::npos);
}

TEST(GpioOutput, AnAdapterThatIsGoneFailsItsWrites) {
    FakeChip chip;
    GpioOutput line({.line = 0}, chip);
    chip.unplugged = true;
    EXPECT_FALSE(line.write(true));
    EXPECT_EQ(line.error(), "No such device");
}

TEST(GpioOutput, TheSystemHasNoSuchChip) {
    EXPECT_THROW(GpioOutput({.chip = "/dev/gpiochip_not_there"}), OutputError);
}

}  // namespace
}  // namespace fastpose
