// Marks functions that run on the host and in kernels.
#pragma once

#ifdef __CUDACC__
#define FASTPOSE_HD __host__ __device__
#else
#define FASTPOSE_HD
#endif
