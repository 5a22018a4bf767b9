# Looks for nvcc and switches the language on; FASTPOSE_CUDA_FOUND says whether.
set(FASTPOSE_CUDA_FOUND OFF)
if(FASTPOSE_CUDA STREQUAL "OFF")
  return()
endif()
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)  # Turing to Blackwell, and text for what comes after
  set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90-real 120)
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  if(FASTPOSE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "FASTPOSE_CUDA=ON, but there is no nvcc: install the CUDA toolkit (12.0 or later), or "
                        "pip install nvidia-cuda-nvcc nvidia-cuda-crt nvidia-nvvm nvidia-cuda-runtime nvidia-cuda-cccl; "
                        "or say where it is with CUDACXX")
  endif()
  message(STATUS "nvcc not found: building without device 'cuda'")
  return()
endif()
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
if(CUDAToolkit_VERSION VERSION_LESS 12.0)
  message(FATAL_ERROR "CUDA ${CUDAToolkit_VERSION} is too old; needed is 12.0 or later, or FASTPOSE_CUDA=OFF")
endif()
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know it of nvcc
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
endif()
set(FASTPOSE_CUDA_FOUND ON)
