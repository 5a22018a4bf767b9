// The writer thread: empties the loops' queues and the rings' ledgers into the session log.
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/shared_event.h"
#include "engine/fault.h"
#include "engine/pipeline_sink.h"
#include "frame/ring.h"
#include "output/interlock.h"
#include "record/log_file.h"

namespace fastpose {

// One log file to be made: path and the JSON of its header.
struct LogSpec {
    std::string path, header_json;
};

struct CameraLog {
    std::shared_ptr<Ring> ring;
    LogSpec frames, poses;
    PipelineSink* sink = nullptr;  // null: no pipeline, and no poses
};

// Reaches the disk every `sync_period_ns`: what a power cut can take. A failing disk posts a fault and the
// loop goes on.
class SessionWriter {
  public:
    static constexpr std::int64_t drain_period_ns = 20'000'000;
    static constexpr std::int64_t sync_period_ns = 500'000'000;

    // Creates the files. Events carry their camera's place in `cameras`. Throws RecordError.
    SessionWriter(const std::vector<CameraLog>& cameras, const LogSpec& events, Interlock* interlock,
                  FaultSlot& faults);
    ~SessionWriter();
    // The thread keeps to these cores; empty: to none.
    void start(const std::vector<int>& cpus = {});
    // Writes all there is, syncs, ends the thread. Call it when nothing produces any more.
    void finish() noexcept;
    // Records that did not fit into a queue.
    [[nodiscard]] std::int64_t lost() const noexcept;

  private:
    struct Camera {
        std::shared_ptr<Ring> ring;
        PipelineSink* sink = nullptr;
        std::unique_ptr<LogFile> frames, poses;
        std::vector<std::byte> scratch;  // one pose record
    };
    [[nodiscard]] static Camera open(const CameraLog& log);
    void run(const std::vector<int>& cpus) noexcept;
    void drain() noexcept;
    void drain_ledger(Camera& camera) noexcept;
    void drain_sink(std::size_t camera) noexcept;
    void drain_interlock() noexcept;
    void flush(bool to_disk) noexcept;
    void flush(LogFile& file, bool to_disk) noexcept;

    std::vector<Camera> cameras_;
    std::unique_ptr<LogFile> events_;
    Interlock* interlock_;
    FaultSlot& faults_;
    std::int64_t next_sync_ns_ = 0;
    std::atomic<bool> stop_{false};
    SharedEvent bell_;
    std::thread thread_;
};

}  // namespace fastpose
