// Question: has an individual turned its head to a side?
#include "rule/egocentric.h"

#include "base/check.h"

namespace fastpose {
namespace {

class Egocentric final : public Compared {
  public:
    Egocentric(const EgocentricSpec& spec, const Gate& gate)
        : Compared(Threshold(spec.limit, 180)), spec_(spec), gate_(gate) {}

  private:
    double value(const RuleInput& input, int individual) noexcept override {
        const auto back = gate_.place(input.pose, individual, spec_.bodyparts[0]);
        const auto neck = gate_.place(input.pose, individual, spec_.bodyparts[1]);
        const auto nose = gate_.place(input.pose, individual, spec_.bodyparts[2]);
        if (!back || !neck || !nose) return no_angle;
        return amount_to(spec_.side, turn_deg(way(*back, *neck), way(*neck, *nose)), threshold().above());
    }

    EgocentricSpec spec_;
    Gate gate_;
};

}  // namespace

std::unique_ptr<Question> make_egocentric(const EgocentricSpec& spec, const Gate& gate) {
    for (const int bodypart : spec.bodyparts) gate.require_bodypart(bodypart);
    return std::make_unique<Egocentric>(spec, gate);
}

}  // namespace fastpose
