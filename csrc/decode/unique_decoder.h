// Animals, and beside them body parts that exist once in the frame (DeepLabCut's unique body parts).
#pragma once
#include <memory>

#include "decode/decoder.h"

namespace fastpose {

struct UniqueDecoderSpec {
    int individuals = 0, bodyparts = 0;  // of the whole pose
    int unique_bodyparts = 0;            // the last ones; they belong to the last individual alone
    int animal_outputs = 0;              // of the network; the others are of the unique body parts
};

// outputs: first those that `animals` takes, then those that `unique` takes. A pose has the animals as its
// first individuals, with their body parts, and the unique body parts in its last; what an individual cannot
// have is NaN, NaN, 0, and so is all of a pose of another size than the spec's. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Decoder> make_unique_decoder(std::shared_ptr<Decoder> animals,
                                                           std::shared_ptr<Decoder> unique,
                                                           const UniqueDecoderSpec& spec);

}  // namespace fastpose
