# _openvino: networks on the CPU, built against the OpenVINO wheel that also runs them.
if(FASTPOSE_OPENVINO STREQUAL "OFF")
  return()
endif()
execute_process(
  COMMAND ${Python_EXECUTABLE} -c "import importlib.util as u, pathlib as p; print(p.Path(u.find_spec('openvino').origin).parent)"
  OUTPUT_VARIABLE openvino_root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
find_package(OpenVINO QUIET COMPONENTS Runtime PATHS ${openvino_root}/cmake NO_DEFAULT_PATH)
if(NOT OpenVINO_FOUND)
  if(FASTPOSE_OPENVINO STREQUAL "ON")
    message(FATAL_ERROR "FASTPOSE_OPENVINO=ON, but the openvino package is not in this Python: pip install openvino")
  endif()
  message(STATUS "OpenVINO not found: building without device 'cpu'")
  return()
endif()

# Operations of ours share the runtime's own workers: its wheel carries TBB with headers.
find_package(TBB REQUIRED CONFIG PATHS ${openvino_root}/cmake NO_DEFAULT_PATH)

set(engine ${CMAKE_SOURCE_DIR}/csrc)
file(GLOB kernels CONFIGURE_DEPENDS ${engine}/infer/group_norm*.cpp ${engine}/infer/*_openvino.cpp)
list(REMOVE_DUPLICATES kernels)
pybind11_add_module(_openvino bind_openvino.cpp ${kernels} ${engine}/base/cpu_features.cpp)
target_include_directories(_openvino PRIVATE ${CMAKE_SOURCE_DIR}/csrc)
target_link_libraries(_openvino PRIVATE openvino::runtime TBB::tbb)
# At run time the wheel lies beside the package, in the same site-packages.
set_target_properties(_openvino PROPERTIES INSTALL_RPATH "$ORIGIN/../openvino/libs")
if(FASTPOSE_IN_SOURCE)
  set_target_properties(_openvino PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_SOURCE_DIR}/python/fastpose)
endif()
fastpose_flags(_openvino)
install(TARGETS _openvino LIBRARY DESTINATION fastpose)
