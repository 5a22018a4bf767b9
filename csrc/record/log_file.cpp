// The log on POSIX files: plain write and fdatasync, no stream between.
#include "record/log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/crc32.h"
#include "base/error.h"

namespace fastpose {
namespace {

constexpr char magic[8] = {'F', 'P', 'L', 'O', 'G', 0, 1, 0};
constexpr std::size_t buffered_records = 256;

std::string padded_header(const std::string& json, std::size_t record_bytes) {
    constexpr std::size_t fixed = sizeof magic + 2 * sizeof(std::uint32_t);
    const std::size_t bytes = (fixed + json.size() + 63) / 64 * 64;
    const std::uint32_t sizes[2] = {static_cast<std::uint32_t>(bytes),
                                    static_cast<std::uint32_t>(record_bytes)};
    std::string header(magic, sizeof magic);
    header.append(reinterpret_cast<const char*>(sizes), sizeof sizes);
    header += json;
    header.resize(bytes, ' ');
    return header;
}

bool write_all(int fd, const void* bytes, std::size_t count) noexcept {
    const auto* p = static_cast<const char*>(bytes);
    while (count > 0) {
        const ssize_t written = ::write(fd, p, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        p += written;
        count -= static_cast<std::size_t>(written);
    }
    return true;
}

}  // namespace

LogFile::LogFile(std::string path, const std::string& header_json, std::size_t record_bytes)
    : path_(std::move(path)), record_bytes_(record_bytes), buffer_(record_bytes * buffered_records) {
    fd_ = ::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (fd_ < 0)
        throw RecordError("cannot create '" + path_ + "': " + std::generic_category().message(errno));
    const std::string header = padded_header(header_json, record_bytes);
    if (write_all(fd_, header.data(), header.size()) && ::fdatasync(fd_) == 0) return;
    const int error = errno;
    ::close(fd_);
    throw RecordError("cannot write to '" + path_ + "': " + std::generic_category().message(error));
}

LogFile::~LogFile() {
    flush();
    ::close(fd_);
}

void LogFile::append(void* record) noexcept {
    auto* bytes = static_cast<std::byte*>(record);
    const std::size_t payload = record_bytes_ - sizeof(std::uint32_t);
    const std::uint32_t crc = crc32(bytes, payload);
    std::memcpy(bytes + payload, &crc, sizeof crc);
    if (used_ + record_bytes_ > buffer_.size()) flush();
    if (!error_.empty()) return;
    std::memcpy(buffer_.data() + used_, bytes, record_bytes_);
    used_ += record_bytes_;
    ++records_;
}

bool LogFile::flush() noexcept {
    if (!error_.empty()) return false;
    if (used_ > 0 && !write_all(fd_, buffer_.data(), used_)) return fail("cannot write to");
    used_ = 0;
    return true;
}

bool LogFile::sync() noexcept {
    if (!flush()) return false;
    return ::fdatasync(fd_) == 0 || fail("cannot sync");
}

bool LogFile::fail(const char* what) noexcept {
    error_ = std::string(what) + " '" + path_ + "': " + std::generic_category().message(errno);
    used_ = 0;
    return false;
}

}  // namespace fastpose
