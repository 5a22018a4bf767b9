// The serial port over a pseudo-terminal: bytes, exclusivity, and every way in which a port can fail.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "output/interlock.h"
#include "output/serial_output.h"
#include "pseudo_terminal.h"

namespace fastpose {
namespace {

using testing::PseudoTerminal;

std::string error_of_opening(const SerialSpec& spec) {
    try {
        const SerialPort port(spec);
    } catch (const OutputError& error) {
        return error.what();
    }
    return "";
}

void expect_says(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(SerialOutput, WritesItsBytesUnchanged) {
    const PseudoTerminal terminal;
    const auto port = std::make_shared<SerialPort>(SerialSpec{terminal.path()});
    // Bytes that a terminal which is not raw would translate, echo or swallow.
    SerialOutput line(port, std::string("\n\x03\x00\x11\xff", 5), "\r");
    EXPECT_TRUE(line.write(true));
    EXPECT_TRUE(line.write(false));
    EXPECT_EQ(terminal.read(6), std::string("\n\x03\x00\x11\xff\r", 6));
    EXPECT_EQ(line.description(),
              "serial port " + terminal.path() + " at 115200 baud, low latency not granted");
}

TEST(SerialOutput, LinesSharingAPortDoNotMixTheirBytes) {
    const PseudoTerminal terminal;
    const auto port = std::make_shared<SerialPort>(SerialSpec{terminal.path(), 9600, 5'000});
    constexpr std::size_t length = 3'000, writes = 40;  // so long that the system takes them in pieces
    const std::string a(length, 'a'), b(length, 'b');
    SerialOutput first(port, a, "-"), second(port, b, "-");
    const auto write_many = [](SerialOutput& line) {
        for (std::size_t i = 0; i < writes; ++i) EXPECT_TRUE(line.write(true));
    };
    std::thread one(write_many, std::ref(first)), other(write_many, std::ref(second));
    const std::string bytes = terminal.read(2 * writes * length);
    one.join();
    other.join();
    ASSERT_EQ(bytes.size(), 2 * writes * length);
    for (std::size_t i = 0; i < bytes.size(); i += length) {
        const std::string message = bytes.substr(i, length);
        EXPECT_TRUE(message == a || message == b) << "message " << i / length << " is mixed";
    }
}

TEST(SerialOutput, RefusesBytesThatCannotTellTheLevels) {
    const PseudoTerminal terminal;
    const auto port = std::make_shared<SerialPort>(SerialSpec{terminal.path()});
    EXPECT_THROW(SerialOutput(port, "", "L"), OutputError);
    EXPECT_THROW(SerialOutput(port, "H", ""), OutputError);
    EXPECT_THROW(SerialOutput(port, "H", "H"), OutputError);
    EXPECT_THROW(SerialOutput(nullptr, "H", "L"), OutputError);
}

TEST(SerialPort, SaysWhenThereIsNoSuchPort) {
    const std::string text = error_of_opening({"/dev/ttyNotThere0"});
    expect_says(text, "/dev/ttyNotThere0");
    expect_says(text, "No such file");
    expect_says(text, "tty");
}

TEST(SerialPort, SaysWhenItIsNoTerminal) {
    const auto path =
        std::filesystem::temp_directory_path() / ("fastpose_no_tty_" + std::to_string(getpid()));
    std::ofstream(path) << "text";
    expect_says(error_of_opening({path.string()}), "Inappropriate ioctl");
    std::filesystem::remove(path);
}

TEST(SerialPort, SaysWhichRatesThereAre) {
    const PseudoTerminal terminal;
    const std::string text = error_of_opening({terminal.path(), 12345});
    expect_says(text, "12345");
    expect_says(text, "9600, 19200");
}

TEST(SerialPort, IsOursAlone) {
    const PseudoTerminal terminal;
    const SerialPort port({terminal.path()});
    expect_says(error_of_opening({terminal.path()}), "busy");
}

TEST(SerialPort, RespectsTheLockOfAnotherProgram) {
    const PseudoTerminal terminal;
    const int other = open(terminal.path().c_str(), O_RDWR | O_NOCTTY);
    ASSERT_EQ(flock(other, LOCK_EX | LOCK_NB), 0);
    expect_says(error_of_opening({terminal.path()}), "busy");
    close(other);
}

TEST(SerialPort, LetsGoEvenWhileAnotherProcessHoldsTheFile) {
    const PseudoTerminal terminal;
    auto port = std::make_unique<SerialPort>(SerialSpec{terminal.path()});
    const int inherited = dup(port->file_descriptor());
    port.reset();
    EXPECT_EQ(error_of_opening({terminal.path()}), "");
    close(inherited);
}

TEST(SerialPort, FailsWhenNobodyTakesTheBytes) {
    const PseudoTerminal terminal;
    SerialPort port({terminal.path(), 115200, 5});
    const std::string block(4096, 'x');
    bool taken = true;
    for (int i = 0; i < 1000 && taken; ++i) taken = port.write(block);
    EXPECT_FALSE(taken);
    EXPECT_EQ(port.error(), "the port took no byte within 5 ms");
}

TEST(SerialPort, FailsWhenItIsUnplugged) {
    PseudoTerminal terminal;
    SerialPort port({terminal.path()});
    EXPECT_TRUE(port.write("H"));
    terminal.unplug();
    EXPECT_FALSE(port.write("L"));
    expect_says(port.error(), "unplugged");
}

TEST(SerialOutput, UnpluggedBehindTheInterlockTheOthersGoSafe) {
    PseudoTerminal loose;
    const PseudoTerminal sound;
    const auto line = [](const std::string& name, const std::string& path) {
        auto port = std::make_shared<SerialPort>(SerialSpec{path});
        return OutputLine{name, std::make_shared<SerialOutput>(port, "H", "L"), {}};
    };
    Interlock interlock({line("reward", loose.path()), line("laser", sound.path())});
    interlock.arm();
    EXPECT_TRUE(interlock.apply({1, Action::on}).changed);
    EXPECT_EQ(sound.read(3), "LLH");  // safe in set-up, safe when armed, on
    loose.unplug();
    EXPECT_TRUE(interlock.apply({0, Action::on}).failed);
    EXPECT_EQ(sound.read(1), "L");
    EXPECT_EQ(interlock.faulty_line(), 0);
    expect_says(interlock.fault_message(), "output 'reward' (serial port " + loose.path());
}

}  // namespace
}  // namespace fastpose
