# Kernels and the CUDA runtime (linked statically), where nvcc is found. The rest of the GPU's side is plain C++ in the
# engine, and is tested without either.
if(NOT FASTPOSE_CUDA_FOUND)
  return()
endif()

file(GLOB_RECURSE kernels CONFIGURE_DEPENDS *.cu)
add_library(fastpose_cuda STATIC ${kernels} cuda/cuda_calls_runtime.cpp engine/kernels_cuda.cpp)
set_target_properties(fastpose_cuda PROPERTIES CUDA_RUNTIME_LIBRARY Static CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON)
target_link_libraries(fastpose_cuda PUBLIC fastpose_engine PRIVATE CUDA::cudart_static)
# No fused multiply-add: the kernels compute what their twins on the host compute.
target_compile_options(fastpose_cuda PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:-fmad=false;--expt-relaxed-constexpr;-Xcompiler=-Wall,-Wextra>")
list(JOIN CMAKE_CUDA_ARCHITECTURES "," architectures)
target_compile_definitions(fastpose_cuda PRIVATE FASTPOSE_CUDA_ARCHITECTURES="${architectures}")
