// The simulated microcontroller where there are no pseudo-terminals: says so.
#include "base/error.h"
#include "output/firmware_simulator.h"

namespace fastpose {

class FirmwareSimulator::Device {};

FirmwareSimulator::FirmwareSimulator(const FirmwareSimulatorSpec&) {
    throw OutputError("firmware simulator: it needs Linux in this version; use a real microcontroller");
}
FirmwareSimulator::~FirmwareSimulator() = default;
int FirmwareSimulator::level(int) const { return 0; }
std::vector<SimulatedEdge> FirmwareSimulator::edges() const { return {}; }
bool FirmwareSimulator::armed() const { return false; }
std::int64_t FirmwareSimulator::device_ns(std::int64_t host_ns) const noexcept { return host_ns; }
void FirmwareSimulator::drive_input(int, bool, std::int64_t) {}
void FirmwareSimulator::connect(int, int) {}
void FirmwareSimulator::unplug() {}
void FirmwareSimulator::freeze(bool) {}
void FirmwareSimulator::lose_replies(int) {}

}  // namespace fastpose
