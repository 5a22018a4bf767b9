// Lines that a host moves: commands arrive in order, answers decide, and a host that is late or gone is a
// failure.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "allocation_counter.h"
#include "base/error.h"
#include "output/hosted_lines.h"
#include "output/interlock.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;

std::string unique_name() {
    static int count = 0;
    return "/fastpose-" + std::to_string(this_process_id()) + "-lines-" + std::to_string(++count);
}

// Serves a block in a thread, as the process of a camera does.
class Host {
  public:
    explicit Host(const std::string& name, bool works = true)
        : lines_(HostedLines::attach(name)), works_(works), thread_([this] { run(); }) {
        while (!serves_) std::this_thread::yield();
    }
    ~Host() { end(); }
    // What it was asked for. Before that `seen` is its thread's.
    const std::vector<LineCommand>& end() {
        stop_ = true;
        if (thread_.joinable()) thread_.join();
        return seen;
    }
    std::vector<LineCommand> seen;

  private:
    void run() {
        lines_->serve();
        serves_ = true;
        LineCommand command;
        while (!stop_)
            if (lines_->next(command, 5 * ms)) {
                seen.push_back(command);
                lines_->answer(command, works_, "the device said no");
            }
    }
    std::unique_ptr<HostedLines> lines_;
    bool works_;
    std::atomic<bool> stop_{false}, serves_{false};
    std::thread thread_;
};

TEST(HostedLines, BeforeTheHostServesALevelIsNotedAndThenCarriedOut) {
    const std::shared_ptr<HostedLines> lines = HostedLines::create(unique_name(), {false, true});
    HostedOutput output(lines, 1, "line 1");
    EXPECT_TRUE(output.write(false));
    EXPECT_TRUE(output.write(true));
    const auto host = HostedLines::attach(lines->name());
    EXPECT_TRUE(host->safe_high(1) && !host->safe_high(0));
    LineCommand command;
    ASSERT_TRUE(host->next(command, 0));
    EXPECT_EQ(command.line, 1);
    EXPECT_TRUE(command.high);
    EXPECT_EQ(command.sequence, 2u);
    host->answer(command, true, "");
    EXPECT_FALSE(host->next(command, 0));
}

TEST(HostedLines, AWriteReturnsWhenTheHostHasAnswered) {
    const std::shared_ptr<HostedLines> lines = HostedLines::create(unique_name(), {false, false});
    HostedOutput first(lines, 0, "a", 10'000), second(lines, 1, "b", 10'000);
    std::vector<LineCommand> seen;
    {
        Host host(lines->name());
        for (int i = 0; i < 200; ++i) {
            EXPECT_TRUE(first.write(i % 2 == 0));
            EXPECT_TRUE(second.write(i % 2 == 1));
        }
        seen = host.end();
    }
    ASSERT_GE(seen.size(), 400u);
    for (std::size_t i = 0; i < 400; ++i) {
        const LineCommand& command = seen[seen.size() - 400 + i];
        EXPECT_EQ(command.line, static_cast<int>(i % 2));
        EXPECT_EQ(command.high, (i / 2) % 2 == i % 2);
    }
}

TEST(HostedLines, ARefusalIsAFailedWriteWithItsReason) {
    const std::shared_ptr<HostedLines> lines = HostedLines::create(unique_name(), {false});
    HostedOutput output(lines, 0, "line");
    EXPECT_EQ(output.error(), "no write has failed");
    const Host host(lines->name(), false);
    while (output.write(true)) std::this_thread::yield();  // noted only, until the host serves
    EXPECT_EQ(output.error(), "the device said no");
}

TEST(HostedLines, AHostThatIsSilentOrEndedIsAFailedWrite) {
    const std::shared_ptr<HostedLines> lines = HostedLines::create(unique_name(), {false});
    HostedOutput output(lines, 0, "line", 5);
    const auto host = HostedLines::attach(lines->name());
    host->serve();
    EXPECT_FALSE(output.write(true));
    EXPECT_EQ(output.error(), "its process did not answer within 5 ms");
    host->end("the camera is closed");
    EXPECT_FALSE(output.write(true));
    EXPECT_EQ(output.error(), "the camera is closed");
}

TEST(HostedLines, AFailedWriteMakesEveryLineSafe) {
    const std::shared_ptr<HostedLines> lines = HostedLines::create(unique_name(), {false});
    const auto output = std::make_shared<HostedOutput>(lines, 0, "Line2 of top");
    Interlock interlock({{"laser", output, {}}});
    interlock.arm();
    const auto host = HostedLines::attach(lines->name());
    host->serve();
    host->end("the device said no");
    EXPECT_TRUE(interlock.apply({0, Action::on}).failed);
    EXPECT_EQ(interlock.faulty_line(), 0);
    EXPECT_NE(interlock.fault_message().find("the device said no"), std::string::npos)
        << interlock.fault_message();
}

TEST(HostedLines, WritesAllocateNothing) {
    const std::shared_ptr<HostedLines> lines = HostedLines::create(unique_name(), {false});
    HostedOutput output(lines, 0, "line", 1);
    start_counting_allocations();
    for (int i = 0; i < 100; ++i) static_cast<void>(output.write(i % 2 == 0));
    EXPECT_EQ(stop_counting_allocations(), 0);
}

TEST(HostedLines, RefusesWhatCannotBe) {
    EXPECT_THROW(HostedLines::create(unique_name(), {}), OutputError);
    EXPECT_THROW(HostedLines::create(unique_name(), std::vector<bool>(17)), OutputError);
    EXPECT_THROW(HostedLines::attach("/fastpose-0-none"), DeviceError);
    const std::shared_ptr<HostedLines> lines = HostedLines::create(unique_name(), {false});
    EXPECT_THROW(HostedOutput(lines, 1, "beyond"), OutputError);
}

}  // namespace
}  // namespace fastpose
