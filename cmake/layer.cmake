# arus_layer(NAME [COLD] [USES layer...] [LIBRARIES lib...] [SOURCES file...]
#            [PRECOMPILE header...])
#
# Makes the library arus_NAME of every *.cc below this folder whose suffix says that it is the
# product: _test.cc go to the test binary NAME_test, each _fuzz.cc is a fuzz target of its own,
# _bench.cc go to NAME_bench, main.cc is for a program. SOURCES adds generated files. PRECOMPILE
# names the headers that nearly every file of the layer includes; they join the standard library's
# in a precompiled header of the layer's own. A file still includes what it uses; a build with
# CMAKE_DISABLE_PRECOMPILE_HEADERS shows what one forgets. A COLD layer is optimised for size.
function(arus_layer NAME)
  cmake_parse_arguments(LAYER "COLD" "" "USES;LIBRARIES;SOURCES;PRECOMPILE;TEST_LIBRARIES" ${ARGN})
  file(GLOB_RECURSE all_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(sources ${all_sources})
  list(FILTER sources EXCLUDE REGEX "(_(test|fuzz|bench)|/(test_)?main)\\.cc$")
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
    if(LAYER_COLD)
      arus_cold(arus_${NAME})
    endif()
    arus_precompile(arus_${NAME} ${LAYER_PRECOMPILE})
  else()
    add_library(arus_${NAME} INTERFACE)
    target_include_directories(arus_${NAME} INTERFACE ${CMAKE_SOURCE_DIR}/src
                                                      ${CMAKE_BINARY_DIR}/generated)
    target_link_libraries(arus_${NAME} INTERFACE ${layers} ${LAYER_LIBRARIES})
  endif()

  if(tests)
    add_executable(${NAME}_test ${tests})
    target_link_libraries(${NAME}_test PRIVATE arus_${NAME} ${LAYER_TEST_LIBRARIES} arus_test_main)
    arus_precompile_test(${NAME}_test ${LAYER_PRECOMPILE})
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
      if(NOT TARGET fuzzers)
        add_custom_target(fuzzers)
      endif()
      add_dependencies(fuzzers ${target})
    endforeach()
  endif()

  if(benches AND NOT ARUS_SANITIZE)
    add_executable(${NAME}_bench EXCLUDE_FROM_ALL ${benches})
    target_link_libraries(${NAME}_bench PRIVATE arus_${NAME} benchmark::benchmark_main)
  endif()
endfunction()

# Many tests of one layer are worth a precompiled header with the layer's own in it, as its product
# has; the others share GoogleTest's.
function(arus_precompile_test TARGET)
  get_target_property(tests ${TARGET} SOURCES)
  list(LENGTH tests count)
  if(count LESS 12 OR NOT ARGN)
    target_precompile_headers(${TARGET} REUSE_FROM arus_test_main)
    return()
  endif()
  list(TRANSFORM ARGN PREPEND ${CMAKE_SOURCE_DIR}/src/ OUTPUT_VARIABLE headers)
  target_precompile_headers(${TARGET} PRIVATE ${CMAKE_SOURCE_DIR}/src/base/test_pch.h ${headers})
endfunction()

# For code whose speed does not matter: it compiles in two thirds of the time.
function(arus_cold TARGET)
  target_compile_options(${TARGET} PRIVATE $<$<CONFIG:Release>:-Oz>)
endfunction()

# arus_unity(TARGET file...): these sources of the target are compiled several at a time.
function(arus_unity TARGET)
  set_target_properties(${TARGET} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  list(LENGTH ARGN count)
  math(EXPR last "${count} - 1")
  foreach(first RANGE 0 ${last} 8)
    list(SUBLIST ARGN ${first} 8 group)
    set_source_files_properties(${group} PROPERTIES UNITY_GROUP "part_${first}")
  endforeach()
endfunction()

# For files whose speed hardly matters, in a layer that is optimised for it.
function(arus_cool)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-O1>)
endfunction()

# arus_precompile(TARGET [header...])
#
# The product libraries share one precompiled header of the standard library. A target that names
# headers gets one of its own instead, with them in it.
function(arus_precompile TARGET)
  target_compile_options(${TARGET} PRIVATE -Xclang -fno-pch-timestamp)
  if(ARGN)
    list(TRANSFORM ARGN PREPEND ${CMAKE_SOURCE_DIR}/src/ OUTPUT_VARIABLE headers)
    target_precompile_headers(${TARGET} PRIVATE ${CMAKE_SOURCE_DIR}/src/base/pch.h ${headers})
    return()
  endif()
  if(NOT TARGET arus_pch)
    add_library(arus_pch STATIC ${CMAKE_SOURCE_DIR}/src/base/pch.cc)
    target_precompile_headers(arus_pch PRIVATE ${CMAKE_SOURCE_DIR}/src/base/pch.h)
    target_compile_options(arus_pch PRIVATE -Xclang -fno-pch-timestamp)
  endif()
  target_precompile_headers(${TARGET} REUSE_FROM arus_pch)
endfunction()
