// The clock of a GenICam camera, on a fake one that was given the features for it.
#include "camera/aravis_clock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "camera/aravis_camera.h"
#include "camera/aravis_found.h"

namespace fastpose {
namespace {

std::string integer(const std::string& name, const std::string& address, int bytes) {
    return "<IntReg Name=\"" + name + "\"><Address>" + address + "</Address><Length>" +
           std::to_string(bytes) +
           "</Length><AccessMode>RW</AccessMode><pPort>Device</pPort><Sign>Unsigned</Sign>"
           "<Endianess>BigEndian</Endianess></IntReg>\n";
}

std::string command(const std::string& name, const std::string& address) {
    return "<Command Name=\"" + name + "\"><pValue>" + name + "Register</pValue>" +
           "<CommandValue>1</CommandValue></Command>\n" + integer(name + "Register", address, 4);
}

const std::string sfnc = command("TimestampLatch", "0x8000") + integer("TimestampLatchValue", "0x8010", 8);
const std::string gige_vision = command("GevTimestampControlLatch", "0x8000") +
                                integer("GevTimestampValue", "0x8010", 8) +
                                integer("GevTimestampTickFrequency", "0x8020", 8);
const std::string ptp =
    "<Boolean Name=\"PtpEnable\"><pValue>PtpEnableRegister</pValue></Boolean>\n" +
    integer("PtpEnableRegister", "0x8030", 4) +
    "<Enumeration Name=\"PtpStatus\"><EnumEntry Name=\"Disabled\"><Value>0</Value></EnumEntry>"
    "<EnumEntry "
    "Name=\"Slave\"><Value>9</Value></EnumEntry><pValue>PtpStatusRegister</pValue></Enumeration>\n" +
    integer("PtpStatusRegister", "0x8034", 4) + integer("PtpOffsetFromMaster", "0x8038", 8);

std::string own_description() {
    const aravis::Handle<ArvFakeCamera> fake(arv_fake_camera_new("1"));
    std::size_t bytes = 0;
    const char* xml = arv_fake_camera_get_genicam_xml(fake.get(), &bytes);
    return {xml, bytes};
}

// Gives the fake camera of this process more features than its own.
void describe_fake(const std::string& features) {
    static const std::string own = own_description();  // before it is replaced
    static const std::string path =
        std::filesystem::temp_directory_path() / ("fastpose-genicam-" + std::to_string(getpid()) + ".xml");
    std::string text = own;
    std::ofstream(path) << text.insert(text.find("<Port Name=\"Device\""), features);
    enable_aravis_fake(path);
}

AravisSpec spec_with(std::vector<AravisFeature> features) {
    AravisSpec spec;
    spec.serial = "Fake_1";
    spec.features = std::move(features);
    return spec;
}

TEST(AravisClock, TicksOfAnyFrequencyAreNanosecondsWithoutOverflow) {
    EXPECT_EQ(aravis::ticks_to_ns(123, 1'000'000'000), 123);
    EXPECT_EQ(aravis::ticks_to_ns(125, 125'000'000), 1000);
    const std::int64_t year_ticks = 365LL * 86400 * 125'000'000;
    EXPECT_EQ(aravis::ticks_to_ns(100 * year_ticks + 1, 125'000'000),
              100LL * 365 * 86400 * 1'000'000'000 + 8);
    EXPECT_EQ(aravis::ticks_to_ns(77, 0), 77) << "a camera that does not tell counts nanoseconds";
}

TEST(AravisClock, ACameraWithoutALatchSaysSo) {
    enable_aravis_fake();
    const auto camera = make_aravis_camera(spec_with({}));
    ClockPair pair;
    EXPECT_FALSE(camera->latch_clock(pair));
    EXPECT_EQ(camera->details().count("ptp"), 0U);
}

TEST(AravisClock, LatchesNanoseconds) {
    describe_fake(sfnc);
    const auto camera = make_aravis_camera(spec_with({{"TimestampLatchValue", std::int64_t{5'000'000'123}}}));
    ClockPair pair;
    ASSERT_TRUE(camera->latch_clock(pair));
    EXPECT_EQ(pair.camera_ns, 5'000'000'123);
    EXPECT_LE(pair.host_before_ns, pair.host_after_ns);
    EXPECT_GT(pair.host_before_ns, 0);
}

TEST(AravisClock, LatchesTicksOfGigeVision) {
    describe_fake(gige_vision);
    const auto camera =
        make_aravis_camera(spec_with({{"GevTimestampValue", std::int64_t{250'000'025}},
                                      {"GevTimestampTickFrequency", std::int64_t{125'000'000}}}));
    ClockPair pair;
    ASSERT_TRUE(camera->latch_clock(pair));
    EXPECT_EQ(pair.camera_ns, 2'000'000'200);
}

TEST(AravisClock, TellsTheStateOfPtp) {
    describe_fake(sfnc + ptp);
    AravisSpec spec =
        spec_with({{"PtpStatus", std::string("Slave")}, {"PtpOffsetFromMaster", std::int64_t{42}}});
    spec.ptp = true;
    const auto camera = make_aravis_camera(spec);
    EXPECT_EQ(camera->details().at("ptp"), "PTP Slave, 42 ns from its master");
    EXPECT_NE(camera->statistics().find("PTP Slave"), std::string::npos);
}

}  // namespace
}  // namespace fastpose
