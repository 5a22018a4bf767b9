// What the files of the module _cuda share.
#pragma once
#include <pybind11/pybind11.h>

#include "decode/decode_cuda.h"

// Python's `_cuda.Decode`.
struct Decode {
    fastpose::CudaDecodeSpec spec;
};

void bind_cuda_lists(pybind11::module_& m);
void bind_cuda_crops(pybind11::module_& m);
