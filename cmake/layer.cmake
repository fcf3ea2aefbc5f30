# arus_layer(NAME [USES layer...] [LIBRARIES lib...] [SOURCES file...] [FOLDERS dir...])
#
# Makes the library arus_NAME of every *.cc below this folder whose suffix says that it is the
# product: _test.cc go to the test binary NAME_test, each _fuzz.cc is a fuzz target of its own,
# _bench.cc go to NAME_bench. SOURCES adds generated files.
function(arus_layer NAME)
  cmake_parse_arguments(LAYER "" "" "USES;LIBRARIES;SOURCES;TEST_LIBRARIES" ${ARGN})
  file(GLOB_RECURSE all_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(sources ${all_sources})
  list(FILTER sources EXCLUDE REGEX "(_(test|fuzz|bench)|/test_main)\\.cc$")
  set(tests ${all_sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(fuzzers ${all_sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  set(benches ${all_sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")

  set(layers "")
  foreach(used IN LISTS LAYER_USES)
    list(APPEND layers arus_${used})
  endforeach()

  if(sources OR LAYER_SOURCES)
    add_library(arus_${NAME} STATIC ${sources} ${LAYER_SOURCES})
    target_include_directories(arus_${NAME} PUBLIC ${CMAKE_SOURCE_DIR}/src
                                                   ${CMAKE_BINARY_DIR}/generated)
    target_link_libraries(arus_${NAME} PUBLIC ${layers} ${LAYER_LIBRARIES})
    arus_precompile(arus_${NAME})
  else()
    add_library(arus_${NAME} INTERFACE)
    target_include_directories(arus_${NAME} INTERFACE ${CMAKE_SOURCE_DIR}/src
                                                      ${CMAKE_BINARY_DIR}/generated)
    target_link_libraries(arus_${NAME} INTERFACE ${layers} ${LAYER_LIBRARIES})
  endif()

  if(tests)
    add_executable(${NAME}_test ${tests})
    target_link_libraries(${NAME}_test PRIVATE arus_${NAME} ${LAYER_TEST_LIBRARIES} arus_test_main)
    target_precompile_headers(${NAME}_test REUSE_FROM arus_test_main)
    target_compile_definitions(${NAME}_test PRIVATE ARUS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${NAME} COMMAND ${NAME}_test)
    set_property(GLOBAL APPEND PROPERTY ARUS_TESTS ${NAME}_test)
  endif()

  if(ARUS_FUZZ)
    foreach(fuzzer IN LISTS fuzzers)
      get_filename_component(target ${fuzzer} NAME_WE)
      add_executable(${target} ${fuzzer})
      target_link_libraries(${target} PRIVATE arus_${NAME} ${LAYER_TEST_LIBRARIES}
                                              -fsanitize=fuzzer)
      target_precompile_headers(${target} REUSE_FROM arus_pch)
      target_compile_options(${target} PRIVATE -Xclang -fno-pch-timestamp)
      set_property(GLOBAL APPEND PROPERTY ARUS_FUZZERS ${target})
    endforeach()
  endif()

  if(benches AND NOT ARUS_SANITIZE)
    add_executable(${NAME}_bench EXCLUDE_FROM_ALL ${benches})
    target_link_libraries(${NAME}_bench PRIVATE arus_${NAME} benchmark::benchmark_main)
  endif()
endfunction()

# Every product library shares one precompiled header of the standard library.
function(arus_precompile TARGET)
  if(NOT TARGET arus_pch)
    add_library(arus_pch STATIC ${CMAKE_SOURCE_DIR}/src/base/pch.cc)
    target_precompile_headers(arus_pch PRIVATE ${CMAKE_SOURCE_DIR}/src/base/pch.h)
    target_compile_options(arus_pch PRIVATE -Xclang -fno-pch-timestamp)
  endif()
  target_precompile_headers(${TARGET} REUSE_FROM arus_pch)
  target_compile_options(${TARGET} PRIVATE -Xclang -fno-pch-timestamp)
endfunction()
