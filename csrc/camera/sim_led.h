// An LED in the view of the simulated camera, painted onto a frame that is rendered already.
#pragma once
#include <cstdint>
#include <span>

#include "camera/sim_spec.h"
#include "frame/frame.h"

namespace fastpose::sim {

// Adds the light of an LED that was on for this fraction of the exposure to a whole frame, densely packed.
// In a YUV format the luma gets it. Levels between two grey values are spread over the pixels of the disc.
void paint_led(const SimLed& led, double fraction_on, const SimSpec& spec,
               std::span<std::uint8_t> pixels) noexcept;

}  // namespace fastpose::sim
