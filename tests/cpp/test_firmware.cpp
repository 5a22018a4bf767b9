// Our firmware: its bytes, its core, and the driver over a simulated microcontroller with a drifting clock.
#include <gtest/gtest.h>

#include <fastpose_firmware/core.h>
#include <fastpose_firmware/wire.h>
#include <atomic>
#include <map>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "output/firmware_device.h"
#include "output/firmware_simulator.h"
#include "output/interlock.h"

namespace fastpose {
namespace {

namespace wire = fastpose_wire;
constexpr std::int64_t ms = 1'000'000;

// --- bytes ---

TEST(FirmwareWire, ChecksumIsThatOfTheStandard) {
    const char* digits = "123456789";
    EXPECT_EQ(wire::crc16(reinterpret_cast<const std::uint8_t*>(digits), 9), 0x29B1);
}

bool take_all(wire::FrameReader& reader, const wire::FrameWriter& frame) {
    bool whole = false;
    for (int i = 0; i < frame.size(); ++i) whole = reader.take(frame.data()[i]);
    return whole;
}

TEST(FirmwareWire, MessagesComeBackWithAllTheirZeros) {
    for (const std::uint64_t number : {0ULL, 1ULL, 256ULL, 0x00FF00FF00FF00FFULL, ~0ULL}) {
        wire::FrameWriter frame(wire::type_set, 0);
        frame.put64(number);
        frame.put16(0);
        frame.finish();
        for (int i = 0; i + 1 < frame.size(); ++i) EXPECT_NE(frame.data()[i], 0);
        wire::FrameReader reader;
        ASSERT_TRUE(take_all(reader, frame));
        EXPECT_EQ(reader.type(), wire::type_set);
        EXPECT_EQ(reader.payload_size(), 10);
        EXPECT_EQ(reader.get64(0), number);
        EXPECT_EQ(reader.get64(4), 0U);  // beyond the payload
    }
}

TEST(FirmwareWire, AnyFlippedBitIsFoundAndTheNextMessageIsRead) {
    wire::FrameWriter frame(wire::type_set, 7);
    frame.put8(1);
    frame.put16(65535);
    frame.finish();
    for (int byte = 0; byte + 1 < frame.size(); ++byte) {
        for (int bit = 0; bit < 8; ++bit) {
            wire::FrameReader reader;
            for (int i = 0; i < frame.size(); ++i) {
                const auto sent = static_cast<std::uint8_t>(frame.data()[i] ^ (i == byte ? 1U << bit : 0U));
                EXPECT_FALSE(reader.take(sent)) << byte << ' ' << bit;
            }
            reader.take(0);
            EXPECT_TRUE(take_all(reader, frame));
        }
    }
}

TEST(FirmwareWire, NoiseBreaksNothing) {
    wire::FrameReader reader;
    std::uint32_t state = 1;
    for (int i = 0; i < 200'000; ++i) {
        state = state * 1664525U + 1013904223U;
        reader.take(static_cast<std::uint8_t>(state >> 24));
    }
    EXPECT_GT(reader.damaged(), 0U);
}

// --- the core ---

class MemoryBoard final : public wire::Board {
  public:
    std::uint64_t now_us() override { return time_us; }
    void make_output(std::uint8_t) override {}
    void make_input(std::uint8_t, std::uint8_t) override {}
    void write_digital(std::uint8_t pin, bool high) override { level[pin] = high ? 65535 : 0; }
    void write_analogue(std::uint8_t pin, std::uint16_t value) override { level[pin] = value; }
    void send(const std::uint8_t* bytes, std::uint8_t count) override {
        for (int i = 0; i < count; ++i)
            if (reader.take(bytes[i])) replies.push_back({reader.type(), reader.get8(0), reader.get64(1)});
    }
    struct Reply {
        int type, status;
        std::uint64_t time_us;
    };
    std::uint64_t time_us = 1000;
    std::map<int, int> level;
    std::vector<Reply> replies;
    wire::FrameReader reader;
};

class FirmwareCore : public ::testing::Test {
  protected:
    void say(std::uint8_t type, std::uint8_t sequence, const std::vector<std::uint8_t>& payload = {}) {
        wire::FrameWriter frame(type, sequence);
        for (const std::uint8_t byte : payload) frame.put8(byte);
        frame.finish();
        for (int i = 0; i < frame.size(); ++i) core.receive(frame.data()[i]);
    }
    void set_up(std::uint8_t flags = 0, std::uint8_t max_on_ms = 0) {
        say(wire::type_setup, 1, {0, 13, flags, max_on_ms, 0, 0, 0});
        say(wire::type_arm, 2, {100, 0});
    }
    void set(std::uint8_t sequence, std::uint16_t level) {
        say(wire::type_set, sequence,
            {0, static_cast<std::uint8_t>(level & 0xFF), static_cast<std::uint8_t>(level >> 8)});
    }
    MemoryBoard board;
    wire::Core core{board};
};

TEST_F(FirmwareCore, SetsALineAndAnswersWithItsTime) {
    set_up();
    board.time_us = 5'000;
    set(1, 65535);
    EXPECT_EQ(board.level[13], 65535);
    EXPECT_EQ(board.replies.back().status, wire::status_ok);
    EXPECT_EQ(board.replies.back().time_us, 5'000U);
}

TEST_F(FirmwareCore, ARepeatedSetIsAnsweredAsItWas) {
    set_up();
    board.time_us = 5'000;
    set(1, 65535);
    board.time_us = 9'000;
    set(1, 65535);
    EXPECT_EQ(board.replies.back().time_us, 5'000U);
    set(2, 0);
    set(1, 65535);  // it was overtaken
    EXPECT_EQ(board.replies.back().status, wire::status_outdated);
    EXPECT_EQ(board.level[13], 0);
}

TEST_F(FirmwareCore, SilenceMakesItSafeAndItStaysSafe) {
    set_up();
    set(1, 65535);
    board.time_us += 100'000;
    core.tick();
    EXPECT_EQ(board.level[13], 65535);
    board.time_us += 1;
    core.tick();
    EXPECT_EQ(board.level[13], 0);
    EXPECT_EQ(board.replies.back().type, wire::type_gone_safe);
    set(2, 65535);
    EXPECT_EQ(board.replies.back().status, wire::status_not_armed);
    EXPECT_EQ(board.level[13], 0);
    set(3, 0);  // the safe level always passes
    EXPECT_EQ(board.replies.back().status, wire::status_ok);
}

TEST_F(FirmwareCore, SafeMayBeHigh) {
    set_up(wire::line_safe_high);
    EXPECT_EQ(board.level[13], 65535);
    set(1, 0);
    EXPECT_EQ(board.level[13], 0);
    say(wire::type_safe, 9);
    EXPECT_EQ(board.level[13], 65535);
}

TEST_F(FirmwareCore, ItsOwnLongestTimeHighCutsUntilItIsSetLow) {
    set_up(0, 20);
    set(1, 65535);
    board.time_us += 20'001;
    core.tick();
    EXPECT_EQ(board.level[13], 0);
    set(2, 65535);
    EXPECT_EQ(board.replies.back().status, wire::status_cut);
    set(3, 0);
    set(4, 65535);
    EXPECT_EQ(board.level[13], 65535);
}

TEST_F(FirmwareCore, LinesThatAreNotThereAreRefused) {
    set(1, 65535);
    EXPECT_EQ(board.replies.back().status, wire::status_no_such_line);
    say(wire::type_set, 1, {200, 255, 255});
    EXPECT_EQ(board.replies.back().status, wire::status_no_such_line);
    say(77, 1);
    EXPECT_EQ(board.replies.back().status, wire::status_not_understood);
}

// --- the driver over the simulator ---

class Heard final : public OutputListener {
  public:
    void confirmed(bool high, std::int64_t stamp_ns) noexcept override {
        if (high) high_ns = stamp_ns;
        ++confirmations;
    }
    void failed() noexcept override { ++failures; }
    std::atomic<std::int64_t> high_ns{0};
    std::atomic<int> confirmations{0}, failures{0};
};

template <typename Condition>
bool soon(Condition condition) {
    const std::int64_t deadline_ns = now_ns() + 10'000 * ms;
    bool is_so = condition();
    while (!is_so && now_ns() < deadline_ns) {
        sleep_until_ns(now_ns() + ms);
        is_so = condition();
    }
    return is_so;
}

class Firmware : public ::testing::Test {
  protected:
    void open(FirmwareSimulatorSpec spec = {}) {
        board = std::make_unique<FirmwareSimulator>(spec);
        port = std::make_shared<SerialPort>(SerialSpec{board->path()});
        device = std::make_shared<FirmwareDevice>(
            port, FirmwareSpec{.lines = {{.pin = 13}, {.pin = 5}}, .input_pins = {2}, .heartbeat_ms = 250});
        device->listen(0, &heard);
    }
    ~Firmware() override {
        if (device) device->listen(0, nullptr);
    }
    std::unique_ptr<FirmwareSimulator> board;
    std::shared_ptr<SerialPort> port;
    std::shared_ptr<FirmwareDevice> device;
    Heard heard;
};

TEST_F(Firmware, ConfirmsOnTheHostsClockThoughItsOwnDrifts) {
    open({.drift_ppm = 80, .offset_ns = 5'000'000'000'000});
    soon([this] { return device->clock().readings >= 16; });
    ASSERT_TRUE(device->set(0, 65535));
    ASSERT_TRUE(soon([this] { return heard.confirmations == 1; }));
    const auto edges = board->edges();
    ASSERT_EQ(edges.size(), 1U);
    EXPECT_EQ(edges[0].pin, 13);
    EXPECT_NEAR(static_cast<double>(heard.high_ns), static_cast<double>(edges[0].host_ns), 2e6);
    EXPECT_GT(std::abs(edges[0].device_ns - edges[0].host_ns), 1'000'000'000);
}

TEST_F(Firmware, LearnsTheDrift) {
    open({.drift_ppm = 400});
    soon([this] { return device->clock().readings > 40; });
    EXPECT_NEAR(device->clock().drift_ppm, 400, 200);
}

TEST_F(Firmware, AQuickPulseIsConfirmedTwice) {
    open();
    ASSERT_TRUE(device->set(0, 65535) && device->set(0, 0));
    EXPECT_TRUE(soon([this] { return heard.confirmations == 2; }));
    EXPECT_EQ(board->edges().size(), 2U);
}

TEST_F(Firmware, LostRepliesAreAskedForAgainAndNothingHappensTwice) {
    open();
    board->lose_replies(2);
    ASSERT_TRUE(device->set(0, 65535));
    ASSERT_TRUE(soon([this] { return heard.confirmations == 1; }));
    EXPECT_EQ(board->edges().size(), 1U);
    EXPECT_EQ(heard.failures, 0);
}

TEST_F(Firmware, UnpluggedIsSaidWithoutAWrite) {
    open();
    ASSERT_TRUE(device->set(0, 65535));
    board->unplug();
    EXPECT_TRUE(soon([this] { return heard.failures == 1; }));
    EXPECT_FALSE(device->set(0, 0));
    EXPECT_NE(device->error().find("unplugged"), std::string::npos) << device->error();
}

TEST_F(Firmware, AHungSketchIsSaid) {
    open();
    board->freeze(true);
    EXPECT_TRUE(soon([this] { return heard.failures == 1; }));
}

TEST_F(Firmware, GoesSafeByItselfWhenTheHostIsGone) {
    open();
    ASSERT_TRUE(device->set(0, 65535));
    ASSERT_TRUE(soon([this] { return board->level(13) > 0; }));
    device->listen(0, nullptr);
    device.reset();  // says safe
    EXPECT_TRUE(soon([this] { return board->level(13) == 0; }));
    EXPECT_FALSE(board->armed());
}

TEST_F(Firmware, EdgesAtInputsComeStamped) {
    open({.drift_ppm = -120, .offset_ns = 77'000'000'000});
    soon([this] { return device->clock().readings >= 16; });
    const std::int64_t at_ns = now_ns();
    board->drive_input(2, true, at_ns);
    InputEdge edge;
    ASSERT_TRUE(soon([&] { return device->next_input_edge(edge); }));
    EXPECT_TRUE(edge.high);
    EXPECT_EQ(edge.input, 0);
    EXPECT_NEAR(static_cast<double>(edge.stamp_ns), static_cast<double>(at_ns), 2e6);
}

TEST_F(Firmware, WiredOutputIsSeenAtTheInput) {
    open({.wire_delay_ns = 3 * ms});
    board->connect(13, 2);
    ASSERT_TRUE(device->set(0, 65535));
    InputEdge edge;
    ASSERT_TRUE(soon([&] { return device->next_input_edge(edge); }));
    EXPECT_NEAR(static_cast<double>(edge.device_ns - board->edges()[0].device_ns), 3e6, 2e3);
}

TEST_F(Firmware, BehindTheInterlockAnUnpluggedBoardIsAFault) {
    open();
    device->listen(0, nullptr);
    Interlock interlock({{"laser", std::make_shared<FirmwareOutput>(device, 0), {}}});
    interlock.arm();
    EXPECT_TRUE(interlock.apply({0, Action::pulse, 5 * ms}).changed);
    InterlockEvent event;
    int confirmed = 0;
    EXPECT_TRUE(soon([&] {
        while (interlock.poll_event(event)) confirmed += event.topic == EventTopic::confirmed ? 1 : 0;
        return confirmed >= 2;
    }));
    board->unplug();
    EXPECT_TRUE(soon([&] { return interlock.faulty_line() == 0; }));
    EXPECT_NE(interlock.fault_message().find("pin 13"), std::string::npos);
}

TEST(FirmwareDevice, SaysWhatToDoWhenNothingAnswers) {
    FirmwareSimulator board;
    board.freeze(true);
    const auto port = std::make_shared<SerialPort>(SerialSpec{board.path()});
    try {
        const FirmwareDevice device(port, {.lines = {{.pin = 1}}, .open_timeout_ms = 300});
        FAIL();
    } catch (const OutputError& error) {
        EXPECT_NE(std::string(error.what()).find("upload"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace fastpose
