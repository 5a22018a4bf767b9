// Plans the kernels with the weights and fractions of the decoders on the CPU.
#include "decode/paf_lists_cuda.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/error.h"
#include "decode/paf_affinity.h"
#include "decode/paf_smoothing.h"
#include "decode/paf_tree_animals.h"

namespace fastpose {
namespace {

constexpr int most_cells = 1 << 24;  // that a float counts

static_assert(list_taps == paf_taps);

void require_countable(int height, int width) {
    if (static_cast<std::int64_t>(height) * width <= most_cells) return;
    throw ConfigError("decoder.map has " + std::to_string(height) + "x" + std::to_string(width) +
                      " cells; allowed on a GPU: at most " + std::to_string(most_cells));
}

KernelGrid blocks_of(int bodyparts_or_limbs, int rows) {
    return {static_cast<unsigned>(bodyparts_or_limbs), static_cast<unsigned>(rows), 1, kDecodeThreads, 1};
}

KernelGrid threads_for(std::int64_t cells) {
    return {static_cast<unsigned>((cells + kDecodeThreads - 1) / kDecodeThreads), 1, 1, kDecodeThreads, 1};
}

void set_smoothing(PafListArguments& arguments, const PafDecoderSpec& spec) {
    const auto weights = paf_gaussian(spec.smoothing_cells);
    std::copy(weights.begin(), weights.end(), arguments.weights);
    arguments.reach = spec.smoothing_cells > 0 ? list_taps / 2 : 0;
    arguments.sigmoid = spec.activation == ScoreActivation::sigmoid;
}

void set_limbs(PafListArguments& arguments, const PafDecoderSpec& spec) {
    const PafAffinity affinity(spec.map_width, spec.map_height, spec.points_per_limb);
    std::ranges::copy(affinity.fractions(), arguments.fractions);
    arguments.points = spec.points_per_limb;
}

template <class Action>
void for_each_place(const ListsView& lists, int count, Action action) {
    for (int row = 0; row < lists.batch; ++row)
        for (int i = 0; i < count; ++i) action(row, i);
}

template <class Arguments>
void limbs_on_host(const Arguments& spec) noexcept {
    for_each_place(spec.lists, spec.lists.limb_count, [&](int row, int limb) {
        for (int i = 0; i < spec.lists.most; ++i)
            for (int j = 0; j < spec.lists.most; ++j)
                spec.lists.affinity(row, limb, i, j) = paf_affinity(spec, row, limb, i, j);
    });
}

}  // namespace

CudaLists::CudaLists(CudaCalls& calls, const PafListsSpec& spec, std::span<const DeviceOutput> outputs,
                     int rows) {
    if (const auto* paf = std::get_if<PafDecoderSpec>(&spec)) plan(calls, *paf, outputs, rows);
    if (const auto* tree = std::get_if<PafTreeSpec>(&spec)) plan(calls, *tree, outputs, rows);
}

std::uint8_t* CudaLists::memory(CudaCalls& calls, std::size_t bytes) {
    memory_.emplace_back(calls, bytes);
    return memory_.back().data();
}

ListsView CudaLists::plan_lists(CudaCalls& calls, int rows, int bodyparts, int most,
                                std::span<const std::array<int, 2>> limbs) {
    const int limb_count = static_cast<int>(limbs.size());
    lists_.push_back({{"peaks", {rows, bodyparts, most, 4}}});
    lists_.push_back({{"affinities", {rows, limb_count, most, most}}});
    for (DeviceOutput& list : lists_) list.data = memory(calls, list.tensor.bytes());
    memory_.push_back(on_device(calls, std::as_bytes(limbs)));
    return {static_cast<PeakEntry*>(lists_[0].data),
            static_cast<float*>(lists_[1].data),
            reinterpret_cast<const int*>(memory_.back().data()),
            rows,
            bodyparts,
            limb_count,
            most};
}

void CudaLists::plan(CudaCalls& calls, const PafDecoderSpec& spec, std::span<const DeviceOutput> outputs,
                     int rows) {
    check_paf(spec);
    require_countable(spec.map_height, spec.map_width);
    const int parts = spec.bodyparts, limbs = static_cast<int>(spec.limbs.size());
    const auto output = [&](int channels) {
        return require_output(outputs, inputs_++, {rows, channels, spec.map_height, spec.map_width});
    };
    PafListArguments arguments;
    arguments.heatmap = output(parts);
    if (spec.locref_stdev > 0) arguments.locref = output(2 * parts);
    arguments.fields = output(2 * limbs);
    arguments.lists = plan_lists(calls, rows, parts, spec.individuals, spec.limbs);
    arguments.height = spec.map_height;
    arguments.width = spec.map_width;
    arguments.stride = spec.stride;
    arguments.locref_stdev = spec.locref_stdev;
    arguments.nms_size = spec.nms_size;
    arguments.min_score = spec.min_score;
    set_smoothing(arguments, spec);
    set_limbs(arguments, spec);
    const std::int64_t cells = cells_of_all(arguments);
    arguments.rows = reinterpret_cast<float*>(memory(calls, static_cast<std::size_t>(cells) * sizeof(float)));
    arguments.scores =
        reinterpret_cast<float*>(memory(calls, static_cast<std::size_t>(cells) * sizeof(float)));
    kernels_ = {{KernelId::paf_smooth_x, threads_for(cells), arguments},
                {KernelId::paf_smooth_y, threads_for(cells), arguments},
                {KernelId::paf_peaks, blocks_of(parts, rows), arguments},
                {KernelId::paf_limbs, blocks_of(limbs, rows), arguments}};
}

void CudaLists::plan(CudaCalls& calls, const PafTreeSpec& spec, std::span<const DeviceOutput> outputs,
                     int rows) {
    check_paf_tree(spec);
    require_countable(spec.map_height, spec.map_width);
    const int parts = spec.bodyparts, limbs = static_cast<int>(spec.limbs.size());
    PafTreeListArguments arguments;
    arguments.heatmap = require_output(outputs, 0, {rows, parts, spec.map_height, spec.map_width});
    arguments.fields = require_output(outputs, 1, {rows, 2 * limbs, spec.limb_height, spec.limb_width});
    inputs_ = 2;
    arguments.lists = plan_lists(calls, rows, parts, spec.most_peaks, spec.limbs);
    arguments.height = spec.map_height;
    arguments.width = spec.map_width;
    arguments.stride = spec.stride;
    arguments.window = spec.window;
    arguments.min_score = spec.min_score;
    arguments.field = field_of(spec);
    kernels_ = {{KernelId::paf_tree_peaks, blocks_of(parts, rows), arguments},
                {KernelId::paf_tree_limbs, blocks_of(limbs, rows), arguments}};
}

GraphNode CudaLists::add_to(CudaGraph& graph, std::span<const GraphNode> after) const {
    GraphNode last;
    for (const Kernel& kernel : kernels_) {
        const KernelCall call = std::visit(
            [&](const auto& values) { return KernelCall{kernel.id, kernel.grid, &values, sizeof values}; },
            kernel.arguments);
        last = graph.kernel(after, call);
        after = {&last, 1};
    }
    return last;
}

void paf_smooth_x_on_host(const PafListArguments& spec) noexcept {
    for (std::int64_t cell = 0; cell < cells_of_all(spec); ++cell)
        spec.rows[cell] = smoothed_along_x(spec, cell);
}

void paf_smooth_y_on_host(const PafListArguments& spec) noexcept {
    for (std::int64_t cell = 0; cell < cells_of_all(spec); ++cell)
        spec.scores[cell] = smoothed_along_y(spec, cell);
}

void paf_peaks_on_host(const PafListArguments& spec) noexcept {
    const MapArguments maps = score_maps(spec);
    for_each_place(spec.lists, spec.lists.bodyparts, [&](int row, int part) {
        Candidate last = before_all();
        for (int rank = 0; rank < spec.lists.most; ++rank) {
            last = strided_peak(maps, map_of(maps, row, part), last, 0, 1);
            spec.lists.peak(row, part, rank) = paf_entry(spec, row, part, last);
            if (!std::isfinite(last.value)) return end_list(spec.lists, row, part, rank + 1, 1);
        }
    });
}

void paf_limbs_on_host(const PafListArguments& spec) noexcept { limbs_on_host(spec); }

void paf_tree_peaks_on_host(const PafTreeListArguments& spec) noexcept {
    for_each_place(spec.lists, spec.lists.bodyparts, [&](int row, int part) {
        const MapView map = map_of(spec, row, part);
        Candidate last = before_all();
        for (int rank = 0; rank < spec.lists.most; ++rank) {
            last = strided_tree_peak(spec, map, last, 0, 1);
            spec.lists.peak(row, part, rank) = tree_entry(spec, map, last);
            if (last.index >= spec.height * spec.width) return end_list(spec.lists, row, part, rank + 1, 1);
        }
    });
}

void paf_tree_limbs_on_host(const PafTreeListArguments& spec) noexcept { limbs_on_host(spec); }

}  // namespace fastpose
