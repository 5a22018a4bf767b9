// From pairs of peaks to animals.
#pragma once
#include <span>
#include <vector>

namespace fastpose {

// A node is one peak of one bodypart: node = bodypart * individuals + rank among the bodypart's peaks.
struct PafLink {
    int from = 0, to = 0;  // nodes
    float affinity = 0;
};

struct PafPlace {
    float x = 0, y = 0;
};

// Greedy assembly, in the order of DeepLabCut's assembler: groups of linked nodes that are as many as
// bodyparts become animals as they are; the others grow from the strongest link on; if there are too many,
// unused links between them fuse them; what has fewer than two links, or lies over a stronger one by 80 %, is
// dropped. Thread-bound; allocates in the constructor only.
class PafAssembler {
  public:
    // most_links: that run() may get.
    PafAssembler(int individuals, int bodyparts, int most_links);

    // links: by limb; places: of all nodes, px. Returns the number of animals, strongest first.
    int run(std::span<const PafLink> links, std::span<const PafPlace> places) noexcept;

    // The node of a bodypart, or -1; `animal` counts up to what run() returned.
    [[nodiscard]] int node(int animal, int bodypart) const noexcept {
        return animals_[order_[animal]].node_of[bodypart];
    }

  private:
    struct Animal {
        std::vector<int> node_of;  // by bodypart, -1: none
        int visible = 0;           // bodyparts that have a node
        int links = 0, first_link = -1, last_link = -1;
        float affinity = 0;  // sum over the links
    };

    void prepare(std::span<const PafLink> links) noexcept;
    void index_links() noexcept;
    void find_groups() noexcept;
    int take_whole_groups() noexcept;
    void grow_from_strongest() noexcept;
    void fuse() noexcept;
    void fuse_over(int link) noexcept;
    void grow_unfinished() noexcept;
    int keep_best(std::span<const PafPlace> places) noexcept;
    void drop_overlapping(std::span<const PafPlace> places) noexcept;

    int start() noexcept;
    void grow(int animal) noexcept;
    void offer_links_of(int node, int animal) noexcept;
    bool add_link(int animal, int link) noexcept;
    void add_node(int animal, int node) noexcept;
    void mark_assembled(int animal) noexcept;
    [[nodiscard]] bool has(int animal, int node) const noexcept {
        return animals_[animal].node_of[bodypart_of(node)] == node;
    }
    [[nodiscard]] bool share_bodypart(const Animal& a, const Animal& b) const noexcept;
    [[nodiscard]] float overlap(const Animal& a, const Animal& b,
                                std::span<const PafPlace> places) const noexcept;
    [[nodiscard]] int bodypart_of(int node) const noexcept { return node / individuals_; }

    int individuals_, bodyparts_;
    std::span<const PafLink> links_{};
    std::vector<int> offsets_, around_;  // links of a node: around_[offsets_[node]..offsets_[node + 1])
    std::vector<int> group_;             // by node, -1: without a link
    std::vector<int> group_size_;
    std::vector<int> by_affinity_;  // links, strongest first
    std::vector<char> spent_;       // by link: lookup holds it no longer
    std::vector<char> used_;        // by link: an animal holds it
    std::vector<int> next_link_;    // of the same animal
    std::vector<int> offered_;      // by link: the growth that last looked at it
    std::vector<char> assembled_;   // by node
    std::vector<int> owner_;        // by node: an animal that may be fused, -1: none
    std::vector<int> candidates_;   // links that may grow an animal, in the order they were offered
    std::vector<Animal> animals_;
    std::vector<int> order_;  // animals that are left
    int started_ = 0, growths_ = 0;
};

}  // namespace fastpose
