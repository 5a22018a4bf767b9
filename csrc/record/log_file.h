// An append-only file of fixed-size records: the truth of a session.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace fastpose {

// Header: magic "FPLOG\0\1\0", uint32 offset of the first record, uint32 record size, JSON padded with
// spaces. Every record ends in the zlib CRC-32 of its bytes before, so that a torn tail is told from data.
// Thread-bound.
class LogFile {
  public:
    // Creates the file and syncs the header. record_bytes includes the CRC. Throws RecordError.
    LogFile(std::string path, const std::string& header_json, std::size_t record_bytes);
    ~LogFile();
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    // Fills in the CRC and buffers; writes when the buffer is full.
    void append(void* record) noexcept;
    // Gives all buffered records to the system; false on failure, then error() says why. A failed log stays
    // failed.
    bool flush() noexcept;
    // Waits until the disk has them: after a power cut they are there.
    bool sync() noexcept;
    [[nodiscard]] const std::string& error() const noexcept { return error_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::int64_t records() const noexcept { return records_; }

  private:
    bool fail(const char* what) noexcept;

    std::string path_, error_;
    std::size_t record_bytes_;
    std::vector<std::byte> buffer_;
    std::size_t used_ = 0;
    std::int64_t records_ = 0;
    int fd_ = -1;
};

}  // namespace fastpose
