// SharedMemory by POSIX shm_open, which on Linux is a file in /dev/shm.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/error.h"
#include "base/shared_memory.h"

namespace fastpose {
namespace {

// Closes the descriptor on every way out; the mapping outlives it.
struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

std::byte* map(int fd, std::size_t bytes) {
    void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    return address == MAP_FAILED ? nullptr : static_cast<std::byte*>(address);
}

[[noreturn]] void fail(const std::string& what, const std::string& name, int error) {
    throw DeviceError(what + " shared memory '" + name + "': " + std::generic_category().message(error));
}

}  // namespace

SharedMemory SharedMemory::create(const std::string& name, std::size_t bytes) {
    Descriptor file{::shm_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600)};
    if (file.fd < 0) fail("cannot create", name, errno);
    if (const int error = ::posix_fallocate(file.fd, 0, static_cast<off_t>(bytes)); error != 0) {
        ::shm_unlink(name.c_str());
        throw DeviceError("cannot reserve " + std::to_string(bytes >> 20) +
                          " MiB of shared memory for frames (" + std::generic_category().message(error) +
                          "); free /dev/shm or lower ring_slots");
    }
    std::byte* data = map(file.fd, bytes);
    if (data == nullptr) {
        const int error = errno;
        ::shm_unlink(name.c_str());
        fail("cannot map", name, error);
    }
    return {name, data, bytes, true};
}

SharedMemory SharedMemory::attach(const std::string& name) {
    Descriptor file{::shm_open(name.c_str(), O_RDWR, 0600)};
    if (file.fd < 0) fail("cannot open", name, errno);
    struct stat status{};
    if (::fstat(file.fd, &status) != 0) fail("cannot read the size of", name, errno);
    const auto bytes = static_cast<std::size_t>(status.st_size);
    std::byte* data = map(file.fd, bytes);
    if (data == nullptr) fail("cannot map", name, errno);
    return {name, data, bytes, false};
}

void SharedMemory::release() noexcept {
    if (data_ != nullptr) ::munmap(data_, size_);
    if (owner_) ::shm_unlink(name_.c_str());
    data_ = nullptr;
    owner_ = false;
}

bool process_alive(int pid) noexcept {
    // A killed process that nobody has reaped still answers kill(pid, 0): its state, behind the name, is Z.
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string status;
    if (!std::getline(file, status)) return ::kill(pid, 0) == 0 || errno == EPERM;
    const std::size_t name_end = status.rfind(')');
    return name_end == std::string::npos || name_end + 2 >= status.size() ||
           (status[name_end + 2] != 'Z' && status[name_end + 2] != 'X');
}

int this_process_id() noexcept { return static_cast<int>(::getpid()); }

void remove_stale_shared_memory(const std::string& prefix) noexcept {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/shm", ignored)) {
        const std::string file = entry.path().filename().string();
        if (!file.starts_with(prefix)) continue;
        int pid = 0;
        std::from_chars(file.data() + prefix.size(), file.data() + file.size(), pid);
        if (pid > 0 && !process_alive(pid)) ::shm_unlink(("/" + file).c_str());
    }
}

}  // namespace fastpose
