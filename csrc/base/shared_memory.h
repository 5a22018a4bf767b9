// A named block of memory that several processes map.
#pragma once
#include <cstddef>
#include <string>

namespace fastpose {

// Owner of one mapping. The creator removes the name when it goes; others only unmap. Thread-bound set-up.
class SharedMemory {
  public:
    // Reserves the memory for real, so that a full /dev/shm is an error here and no crash later. Throws
    // DeviceError that names the size asked for.
    static SharedMemory create(const std::string& name, std::size_t bytes);
    // Throws DeviceError if there is no such block.
    static SharedMemory attach(const std::string& name);

    SharedMemory(SharedMemory&& other) noexcept;
    SharedMemory& operator=(SharedMemory&& other) noexcept;
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;
    ~SharedMemory();

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

  private:
    SharedMemory(std::string name, std::byte* data, std::size_t size, bool owner) noexcept;
    void release() noexcept;

    std::string name_;
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    bool owner_ = false;
};

// Removes blocks named "<prefix><pid>-..." whose process is gone: what a killed session leaves behind.
void remove_stale_shared_memory(const std::string& prefix) noexcept;

// True while a process of that id runs.
[[nodiscard]] bool process_alive(int pid) noexcept;
[[nodiscard]] int this_process_id() noexcept;

}  // namespace fastpose
