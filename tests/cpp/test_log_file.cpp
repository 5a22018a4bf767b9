// The append-only log: header, checksums, and a disk that is full.
#include "record/log_file.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/crc32.h"
#include "base/error.h"
#include "record/records.h"

namespace fastpose {
namespace {

namespace fs = std::filesystem;

std::string fresh_path(const char* stem) {
    const fs::path path = fs::path(testing::TempDir()) / stem;
    fs::remove(path);
    return path.string();
}

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(LogFile, WritesHeaderAndCheckedRecords) {
    const std::string path = fresh_path("frames.fplog");
    const std::string json = R"({"kind": "events"})";
    {
        LogFile log(path, json, sizeof(EventRecord));
        for (int i = 0; i < 600; ++i) {  // more than the buffer holds
            EventRecord record{i, 10 * i, 0, 0, 1, 1, 0, 0, 0};
            log.append(&record);
        }
        EXPECT_EQ(log.records(), 600);
    }
    const std::string bytes = content_of(path);
    EXPECT_EQ(std::memcmp(bytes.data(), "FPLOG\0\1\0", 8), 0);
    std::uint32_t sizes[2];
    std::memcpy(sizes, bytes.data() + 8, sizeof sizes);
    EXPECT_EQ(sizes[0] % 64, 0U);
    EXPECT_EQ(sizes[1], sizeof(EventRecord));
    EXPECT_EQ(bytes.substr(16, json.size()), json);
    ASSERT_EQ(bytes.size(), sizes[0] + 600 * sizeof(EventRecord));
    EventRecord last;
    std::memcpy(&last, bytes.data() + bytes.size() - sizeof last, sizeof last);
    EXPECT_EQ(last.frame_id, 599);
    EXPECT_EQ(last.crc32, crc32(&last, sizeof last - 4));
}

TEST(LogFile, RefusesAFileThatExistsAndAFolderThatDoesNot) {
    const std::string path = fresh_path("twice.fplog");
    const LogFile log(path, "{}", 16);
    EXPECT_THROW(LogFile(path, "{}", 16), RecordError);
    EXPECT_THROW(LogFile("/no/such/folder/x.fplog", "{}", 16), RecordError);
}

TEST(LogFile, FullDiskIsSaidOnceAndNotThrown) {
    if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
    // O_EXCL forbids opening the device itself; a header that cannot be written throws.
    EXPECT_THROW(LogFile("/dev/full", "{}", 16), RecordError);
}

}  // namespace
}  // namespace fastpose
