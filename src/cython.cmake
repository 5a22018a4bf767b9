# Compiled protocols: Cython to C++ (this project has no C compiler: a file turned into C would silently not be built).
execute_process(COMMAND ${Python_EXECUTABLE} -c "import Cython" RESULT_VARIABLE cython_missing OUTPUT_QUIET ERROR_QUIET)
if(cython_missing)
  message(STATUS "Cython not found: building without the example policy")
  return()
endif()

set(example_policy ${CMAKE_CURRENT_BINARY_DIR}/example_policy.cpp)
add_custom_command(
  OUTPUT ${example_policy}
  COMMAND ${Python_EXECUTABLE} -m cython --cplus -3 -I ${CMAKE_SOURCE_DIR}/python
          --module-name fastpose.example_policy ${CMAKE_CURRENT_SOURCE_DIR}/example_policy.pyx -o ${example_policy}
  DEPENDS example_policy.pyx ${CMAKE_SOURCE_DIR}/python/fastpose/policy.pxd
  VERBATIM)
python_add_library(example_policy MODULE WITH_SOABI ${example_policy})
target_include_directories(example_policy PRIVATE ${CMAKE_SOURCE_DIR}/csrc)
if(FASTPOSE_IN_SOURCE)
  set_target_properties(example_policy PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_SOURCE_DIR}/python/fastpose)
endif()
install(TARGETS example_policy LIBRARY DESTINATION fastpose)
install(FILES ${CMAKE_SOURCE_DIR}/csrc/protocol/policy.h DESTINATION fastpose/include/protocol)
install(FILES ${CMAKE_SOURCE_DIR}/csrc/rule/plugin.h DESTINATION fastpose/include/rule)
