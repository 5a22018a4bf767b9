// Where an animal is, before its keypoints are known.
#pragma once

namespace fastpose {

// Edges in full-frame sensor px: pixel i of a row reaches from i to i + 1.
struct Box {
    float left = 0, top = 0, right = 0, bottom = 0;
    float score = 0;  // 0-1
};

}  // namespace fastpose
