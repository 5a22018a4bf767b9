// A whole engine on simulated parts, for tests: camera, fake network with a known peak, one rule, one output.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "camera/filling_camera.h"
#include "engine/engine.h"
#include "infer/fake_backend.h"
#include "output/sim_output.h"
#include "protocol/conditional.h"
#include "rule/in_zone.h"

namespace fastpose::testing_rig {

inline constexpr int side = 64;  // px of the square frame
inline constexpr int bodyparts = 2;

// Delivers black frames as fast as it is asked, then ends or comes loose.
class CountingCamera final : public FillingCamera {
  public:
    explicit CountingCamera(int frames, bool comes_loose = false)
        : frames_(frames), comes_loose_(comes_loose) {}
    [[nodiscard]] const CameraInfo& info() const noexcept override { return info_; }
    void arm() override {}
    GrabStatus fill(std::span<std::uint8_t>, FrameMeta& meta, std::int64_t) noexcept override {
        if (next_ == frames_) return comes_loose_ ? GrabStatus::disconnected : GrabStatus::finished;
        meta.camera_counter = next_++;
        meta.camera_timestamp_ns = now_ns();
        meta.received_ns = now_ns();
        return GrabStatus::frame;
    }
    bool latch_clock(ClockPair& pair) noexcept override {
        pair.host_before_ns = pair.camera_ns = pair.host_after_ns = now_ns();
        return true;
    }

  private:
    CameraInfo info_{PixelFormat::mono8, side, side, 100, 0};
    int frames_, next_ = 0;
    bool comes_loose_;
};

// The peak of body part 0 visits the cells (1, 1) and (6, 6) in turn: inside and outside of the zone.
inline std::shared_ptr<Backend> make_backend() {
    constexpr int cells = side / 8;
    std::vector<float> heatmap(2 * bodyparts * cells * cells, -6.0F);
    std::vector<float> locref(2 * 2 * bodyparts * cells * cells, 0.0F);
    for (int part = 0; part < bodyparts; ++part) {
        heatmap[static_cast<std::size_t>(part * cells * cells + 1 * cells + 1)] = 6.0F;
        heatmap[static_cast<std::size_t>((bodyparts + part) * cells * cells + 6 * cells + 6)] = 6.0F;
    }
    return make_fake_backend({1, 1, side, side}, {{{1, bodyparts, cells, cells}, heatmap},
                                                  {{1, 2 * bodyparts, cells, cells}, locref}});
}

struct Parts {
    std::shared_ptr<SimOutput> line = std::make_shared<SimOutput>("laser");
    std::shared_ptr<Interlock> interlock;
    std::shared_ptr<PipelineParts> pipeline = std::make_shared<PipelineParts>();

    Parts() {
        interlock = std::make_shared<Interlock>(std::vector<OutputLine>{{"laser", line, {}}});
        PreprocessSpec preprocess;
        preprocess.frame_width = preprocess.frame_height = preprocess.output_width =
            preprocess.output_height = side;
        preprocess.roi = {0, 0, side, side};
        HeatmapDecoderSpec decode;
        decode.bodyparts = bodyparts;
        decode.map_width = decode.map_height = side / 8;
        pipeline->estimator =
            make_single_stage({make_preprocessor(preprocess), make_backend(), make_heatmap_decoder(decode)});
        pipeline->filter = make_one_euro({1000.0, 10.0, 1000.0}, 1, bodyparts);  // follows at once
        InZoneSpec zone;
        zone.zone = std::shared_ptr<const Zone>(make_circle({12, 12}, 10));
        zone.bodyparts = {0};
        const Gate gate({}, 1, bodyparts);
        pipeline->rules.push_back(
            std::make_shared<Rule>(make_condition(gate, make_in_zone(zone, gate)), RuleTiming{}));
        pipeline->protocol =
            std::make_shared<ConditionalProtocol>(ConditionalSpec{0, {{0, Reaction::follow}}});
        pipeline->interlock = interlock;
        pipeline->individuals = 1;
        pipeline->bodyparts = bodyparts;
    }
};

inline std::shared_ptr<Ring> make_ring(FramePolicy policy = FramePolicy::every) {
    static int count = 0;
    const std::string name =
        "/fastpose-" + std::to_string(this_process_id()) + "-rig" + std::to_string(count++);
    return Ring::create(name, {8, side, side, PixelFormat::mono8, policy, true, false});
}

inline std::string fresh_folder(const std::string& name) {
    const auto path =
        std::filesystem::temp_directory_path() / ("fastpose-" + std::to_string(this_process_id()) + name);
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
    return path.string();
}

}  // namespace fastpose::testing_rig
