// Greedy assembly of animals from links between peaks.
#include "decode/paf_assembler.h"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace fastpose {
namespace {

constexpr int fewest_links = 2;
constexpr float most_overlap = 0.8F;

}  // namespace

PafAssembler::PafAssembler(int individuals, int bodyparts, int most_links)
    : individuals_(individuals), bodyparts_(bodyparts) {
    const auto nodes = static_cast<std::size_t>(individuals) * bodyparts;
    const auto links = static_cast<std::size_t>(most_links);
    offsets_.resize(nodes + 1);
    around_.resize(2 * links);
    group_.resize(nodes);
    group_size_.resize(nodes);
    by_affinity_.reserve(links);
    spent_.resize(links);
    used_.resize(links);
    next_link_.resize(links);
    offered_.resize(links);
    assembled_.resize(nodes);
    owner_.resize(nodes);
    candidates_.reserve(links);
    animals_.resize(nodes / 2 + 1);  // each begins with two nodes of its own
    for (Animal& animal : animals_) animal.node_of.resize(bodyparts);
    order_.reserve(animals_.size());
}

int PafAssembler::run(std::span<const PafLink> links, std::span<const PafPlace> places) noexcept {
    prepare(links);
    if (take_whole_groups() != individuals_) {
        grow_from_strongest();
        if (static_cast<int>(order_.size()) > individuals_) fuse();
        grow_unfinished();
    }
    return keep_best(places);
}

void PafAssembler::prepare(std::span<const PafLink> links) noexcept {
    links_ = links;
    started_ = growths_ = 0;
    order_.clear();
    std::fill(spent_.begin(), spent_.end(), 0);
    std::fill(used_.begin(), used_.end(), 0);
    std::fill(offered_.begin(), offered_.end(), 0);
    std::fill(assembled_.begin(), assembled_.end(), 0);
    index_links();
    find_groups();
}

void PafAssembler::index_links() noexcept {
    std::fill(offsets_.begin(), offsets_.end(), 0);
    for (const PafLink& link : links_) ++offsets_[link.from + 1], ++offsets_[link.to + 1];
    for (std::size_t i = 1; i < offsets_.size(); ++i) offsets_[i] += offsets_[i - 1];
    for (int i = static_cast<int>(links_.size()) - 1; i >= 0; --i)  // leaves the links of a node in order
        around_[--offsets_[links_[i].from + 1]] = i, around_[--offsets_[links_[i].to + 1]] = i;
    std::move(offsets_.begin() + 1, offsets_.end(), offsets_.begin());
    offsets_.back() = static_cast<int>(2 * links_.size());
}

void PafAssembler::find_groups() noexcept {
    for (std::size_t node = 0; node < group_.size(); ++node) group_[node] = static_cast<int>(node);
    for (bool changed = true; changed;) {
        changed = false;
        for (const PafLink& link : links_) {
            const int least = std::min(group_[link.from], group_[link.to]);
            changed = changed || group_[link.from] != least || group_[link.to] != least;
            group_[link.from] = group_[link.to] = least;
        }
    }
    std::fill(group_size_.begin(), group_size_.end(), 0);
    for (const int group : group_) ++group_size_[group];
}

// Groups in the order of their first link. Returns how many there are.
int PafAssembler::take_whole_groups() noexcept {
    for (const PafLink& first : links_) {
        const int group = group_[first.from];
        if (group_size_[group] != bodyparts_) continue;
        const int animal = start();
        for (int i = 0; i < static_cast<int>(links_.size()); ++i)
            if (group_[links_[i].from] == group && add_link(animal, i)) spent_[i] = 1;
        mark_assembled(animal);
        group_size_[group] = 0;
    }
    return static_cast<int>(order_.size());
}

void PafAssembler::grow_from_strongest() noexcept {
    by_affinity_.resize(links_.size());
    for (std::size_t i = 0; i < links_.size(); ++i) by_affinity_[i] = static_cast<int>(i);
    std::sort(by_affinity_.begin(), by_affinity_.end(), [&](int a, int b) {
        return links_[a].affinity != links_[b].affinity ? links_[a].affinity > links_[b].affinity : a < b;
    });
    for (const int link : by_affinity_) {
        if (assembled_[links_[link].from] || assembled_[links_[link].to]) continue;
        const int animal = start();
        add_link(animal, link);
        grow(animal);
        for (int i = animals_[animal].first_link; i >= 0; i = next_link_[i]) spent_[i] = 1;
        mark_assembled(animal);
    }
}

// Along the strongest of the links that lead out of the animal, until all bodyparts are there.
void PafAssembler::grow(int animal) noexcept {
    ++growths_;
    candidates_.clear();
    for (int part = 0; part < bodyparts_; ++part)
        if (const int node = animals_[animal].node_of[part]; node >= 0) offer_links_of(node, animal);
    const auto weaker = [&](int a, int b) { return links_[a].affinity < links_[b].affinity; };
    while (!candidates_.empty() && animals_[animal].visible < bodyparts_) {
        const auto best = std::max_element(candidates_.begin(), candidates_.end(), weaker);
        const int link = *best;
        candidates_.erase(best);
        const auto [from, to, affinity] = links_[link];
        const bool has_from = has(animal, from);
        if (!has_from && !has(animal, to)) continue;
        const int fresh = has_from ? to : from;
        if (assembled_[fresh]) continue;
        add_link(animal, link);
        offer_links_of(fresh, animal);
    }
}

void PafAssembler::offer_links_of(int node, int animal) noexcept {
    for (int i = offsets_[node]; i < offsets_[node + 1]; ++i) {
        const int link = around_[i];
        const int other = links_[link].from == node ? links_[link].to : links_[link].from;
        if (spent_[link] || offered_[link] == growths_ || has(animal, other)) continue;
        candidates_.push_back(link);
        offered_[link] = growths_;
    }
}

// Joins animals that an unused link connects and that have no bodypart in common.
void PafAssembler::fuse() noexcept {
    std::fill(owner_.begin(), owner_.end(), -1);
    for (const int animal : order_) {
        if (animals_[animal].visible == bodyparts_) continue;
        for (const int node : animals_[animal].node_of)
            if (node >= 0) owner_[node] = animal;
    }
    for (int link = 0; link < static_cast<int>(links_.size()); ++link)
        if (!used_[link]) fuse_over(link);
}

void PafAssembler::fuse_over(int link) noexcept {
    const int kept = owner_[links_[link].from], gone = owner_[links_[link].to];
    if (kept < 0 || gone < 0 || kept == gone || share_bodypart(animals_[kept], animals_[gone])) return;
    for (int i = animals_[gone].first_link; i >= 0;) {
        const int next = next_link_[i];
        add_link(kept, i);
        i = next;
    }
    for (const int node : animals_[gone].node_of)
        if (node >= 0) owner_[node] = kept;
    order_.erase(std::find(order_.begin(), order_.end(), gone));
}

void PafAssembler::grow_unfinished() noexcept {
    for (const int animal : order_) {
        if (animals_[animal].visible == bodyparts_) continue;
        grow(animal);
        mark_assembled(animal);
    }
}

int PafAssembler::keep_best(std::span<const PafPlace> places) noexcept {
    std::erase_if(order_, [&](int animal) { return animals_[animal].links < fewest_links; });
    drop_overlapping(places);
    if (static_cast<int>(order_.size()) <= individuals_) return static_cast<int>(order_.size());
    for (std::size_t i = 1; i < order_.size(); ++i)  // in place and stable: the longest first
        for (std::size_t at = i; at > 0; --at) {
            if (animals_[order_[at]].visible <= animals_[order_[at - 1]].visible) break;
            std::swap(order_[at], order_[at - 1]);
        }
    return individuals_;
}

// Strongest first; each removes the weaker ones that it covers.
void PafAssembler::drop_overlapping(std::span<const PafPlace> places) noexcept {
    for (std::size_t i = 0; i < order_.size(); ++i) {
        const auto best = std::max_element(order_.begin() + i, order_.end(), [&](int a, int b) {
            return animals_[a].affinity < animals_[b].affinity;
        });
        std::rotate(order_.begin() + i, best, best + 1);
        const Animal& kept = animals_[order_[i]];
        order_.erase(std::remove_if(
                         order_.begin() + i + 1, order_.end(),
                         [&](int animal) { return overlap(kept, animals_[animal], places) >= most_overlap; }),
                     order_.end());
    }
}

int PafAssembler::start() noexcept {
    Animal& animal = animals_[started_];
    std::fill(animal.node_of.begin(), animal.node_of.end(), -1);
    animal.visible = animal.links = 0;
    animal.first_link = animal.last_link = -1;
    animal.affinity = 0;
    order_.push_back(started_);
    return started_++;
}

// False if the link brings no node: it closes a loop, or would give a bodypart a second node.
bool PafAssembler::add_link(int index, int link) noexcept {
    Animal& animal = animals_[index];
    const auto [from, to, affinity] = links_[link];
    const bool closes = has(index, from) && has(index, to);
    const bool taken = animal.node_of[bodypart_of(from)] >= 0 && animal.node_of[bodypart_of(to)] >= 0;
    if (taken && !closes) return false;
    add_node(index, from);
    add_node(index, to);
    animal.affinity += affinity;
    ++animal.links;
    used_[link] = 1;
    next_link_[link] = -1;
    (animal.last_link < 0 ? animal.first_link : next_link_[animal.last_link]) = link;
    animal.last_link = link;
    return !closes;
}

void PafAssembler::add_node(int index, int node) noexcept {
    int& place = animals_[index].node_of[bodypart_of(node)];
    if (place >= 0) return;
    place = node;
    ++animals_[index].visible;
}

void PafAssembler::mark_assembled(int animal) noexcept {
    for (const int node : animals_[animal].node_of)
        if (node >= 0) assembled_[node] = 1;
}

bool PafAssembler::share_bodypart(const Animal& a, const Animal& b) const noexcept {
    for (int part = 0; part < bodyparts_; ++part)
        if (a.node_of[part] >= 0 && b.node_of[part] >= 0) return true;
    return false;
}

namespace {

struct Box {
    float left = std::numeric_limits<float>::infinity(), top = left, right = -left, bottom = -left;

    [[nodiscard]] bool holds(const PafPlace& p) const noexcept {
        return p.x >= left && p.x <= right && p.y >= top && p.y <= bottom;
    }
};

Box box_of(const std::vector<int>& nodes, std::span<const PafPlace> places) noexcept {
    Box box;
    for (const int node : nodes) {
        if (node < 0) continue;
        const PafPlace& p = places[node];
        box = {std::min(box.left, p.x), std::min(box.top, p.y), std::max(box.right, p.x),
               std::max(box.bottom, p.y)};
    }
    return box;
}

float share_in(const Box& box, const std::vector<int>& nodes, int visible,
               std::span<const PafPlace> places) noexcept {
    const auto in = std::count_if(nodes.begin(), nodes.end(),
                                  [&](int node) { return node >= 0 && box.holds(places[node]); });
    return static_cast<float>(in) / static_cast<float>(visible);
}

}  // namespace

// The smaller share of the two animals' nodes that lie where their boxes overlap.
float PafAssembler::overlap(const Animal& a, const Animal& b,
                            std::span<const PafPlace> places) const noexcept {
    const Box p = box_of(a.node_of, places), q = box_of(b.node_of, places);
    const Box common{std::max(p.left, q.left), std::max(p.top, q.top), std::min(p.right, q.right),
                     std::min(p.bottom, q.bottom)};
    if (common.right < common.left || common.bottom < common.top) return 0;
    return std::min(share_in(common, a.node_of, a.visible, places),
                    share_in(common, b.node_of, b.visible, places));
}

}  // namespace fastpose
