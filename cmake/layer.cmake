# arus_layer(NAME [COLD | COLD_SOURCES regex...] [UNITY count] [TEST_UNITY count] [USES layer...]
#            [LIBRARIES lib...] [SOURCES file...] [PRECOMPILE header...] [TEST_PRECOMPILE header...])
#
# Makes the library arus_NAME of every *.cc below this folder whose suffix says that it is the
# product: _test.cc go to the test binary NAME_test, each _fuzz.cc is a fuzz target of its own,
# _bench.cc go to NAME_bench, main.cc is for a program. SOURCES adds generated files. PRECOMPILE
# names the headers that nearly every file of the layer includes; they join the standard library's
# in a precompiled header of the layer's own; TEST_PRECOMPILE does so for the tests. A file still
# includes what it uses; a build with CMAKE_DISABLE_PRECOMPILE_HEADERS and without ARUS_UNITY shows
# what one forgets. A COLD layer is optimised for size, as are in any other the files below this
# folder whose path one of COLD_SOURCES matches: what runs rarely or waits for a disk anyway. UNITY
# and TEST_UNITY say how many files are compiled at a time, of cold ones twice as many; of tests it
# is eight without a word.
function(arus_layer NAME)
  cmake_parse_arguments(LAYER "COLD" "UNITY;TEST_UNITY"
    "COLD_SOURCES;USES;LIBRARIES;SOURCES;PRECOMPILE;TEST_PRECOMPILE;TEST_LIBRARIES" ${ARGN})
  file(GLOB_RECURSE all_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(sources ${all_sources})
  list(FILTER sources EXCLUDE REGEX "(_(test|fuzz|bench)|/((test|bench)_)?main)\\.cc$")
  set(tests ${all_sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(fuzzers ${all_sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  set(benches ${all_sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  set(cold "")
  if(LAYER_COLD_SOURCES)
    list(JOIN LAYER_COLD_SOURCES "|" patterns)
    set(cold ${sources})
    list(FILTER cold INCLUDE REGEX "^${CMAKE_CURRENT_SOURCE_DIR}/(${patterns})$")
    list(REMOVE_ITEM sources ${cold})
  endif()

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
    if(LAYER_UNITY)
      arus_unity(arus_${NAME} ${LAYER_UNITY} ${sources})
    endif()
    if(cold)
      arus_cold_part(arus_${NAME} arus_${NAME}_cold "${LAYER_UNITY}" ${cold})
    endif()
  else()
    add_library(arus_${NAME} INTERFACE)
    target_include_directories(arus_${NAME} INTERFACE ${CMAKE_SOURCE_DIR}/src
                                                      ${CMAKE_BINARY_DIR}/generated)
    target_link_libraries(arus_${NAME} INTERFACE ${layers} ${LAYER_LIBRARIES})
  endif()

  if(tests)
    add_executable(${NAME}_test ${tests})
    target_link_libraries(${NAME}_test PRIVATE arus_${NAME} ${LAYER_TEST_LIBRARIES} arus_test_main)
    if(LAYER_TEST_PRECOMPILE)
      arus_precompile_own(${NAME}_test base/test_pch.h ${LAYER_TEST_PRECOMPILE})
    else()
      arus_precompile_test(${NAME}_test ${LAYER_PRECOMPILE})
    endif()
    if(NOT LAYER_TEST_UNITY)
      set(LAYER_TEST_UNITY 8)
    endif()
    arus_unity(${NAME}_test ${LAYER_TEST_UNITY} ${tests})
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
    target_link_libraries(${NAME}_bench PRIVATE arus_${NAME} arus_bench_main)
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
  arus_precompile_own(${TARGET} base/test_pch.h ${ARGN})
endfunction()

# arus_precompile_own(TARGET header...): a precompiled header of the target's own.
function(arus_precompile_own TARGET)
  list(TRANSFORM ARGN PREPEND ${CMAKE_SOURCE_DIR}/src/ OUTPUT_VARIABLE headers)
  target_precompile_headers(${TARGET} PRIVATE ${headers})
endfunction()

# For code whose speed does not matter: it compiles in two thirds of the time. The attributes make of
# it what -Oz does, but unlike after that option a precompiled header of hot code serves it too.
function(arus_cold TARGET)
  target_compile_options(${TARGET} PRIVATE
    "$<$<CONFIG:Release>:SHELL:-mllvm -force-attribute=minsize -mllvm -force-attribute=optsize>")
endfunction()

# A file's COMPILE_OPTIONS that make of a cold layer's optimisation what -Os does.
set(ARUS_WARM "$<$<CONFIG:Release>:-mllvm>" "$<$<CONFIG:Release>:-force-remove-attribute=minsize>")

# arus_cold_part(LIBRARY PART count file...): files of the library that are optimised for size. The
# part is linked wherever the library is, and needs it in turn.
function(arus_cold_part LIBRARY PART UNITY)
  add_library(${PART} STATIC ${ARGN})
  target_link_libraries(${PART} PUBLIC ${LIBRARY})
  target_link_libraries(${LIBRARY} PUBLIC ${PART})
  arus_cold(${PART})
  target_compile_options(${PART} PRIVATE -Xclang -fno-pch-timestamp)
  get_target_property(shared ${LIBRARY} PRECOMPILE_HEADERS_REUSE_FROM)
  if(NOT shared)
    set(shared ${LIBRARY})
  endif()
  target_precompile_headers(${PART} REUSE_FROM ${shared})
  if(UNITY)
    math(EXPR count "2 * ${UNITY}")
    arus_unity(${PART} ${count} ${ARGN})
  endif()
endfunction()

# arus_unity(TARGET count file...): these sources of the target are compiled `count` at a time, which
# takes about half as long: what their headers hold is read and instantiated once. Neighbours must
# not give one name to different things. CMake leaves out a source with COMPILE_OPTIONS of its own.
function(arus_unity TARGET COUNT)
  set_target_properties(${TARGET} PROPERTIES UNITY_BUILD ${ARUS_UNITY} UNITY_BUILD_MODE GROUP)
  list(LENGTH ARGN count)
  math(EXPR last "${count} - 1")
  foreach(first RANGE 0 ${last} ${COUNT})
    list(SUBLIST ARGN ${first} ${COUNT} group)
    set_source_files_properties(${group} PROPERTIES UNITY_GROUP "part_${first}")
  endforeach()
endfunction()

# arus_precompile(TARGET [header...])
#
# The product libraries share a precompiled header of the standard library. A target that names
# headers gets one of its own instead, with them in it.
function(arus_precompile TARGET)
  target_compile_options(${TARGET} PRIVATE -Xclang -fno-pch-timestamp)
  if(ARGN)
    arus_precompile_own(${TARGET} base/pch.h ${ARGN})
    return()
  endif()
  if(NOT TARGET arus_pch)
    add_library(arus_pch STATIC ${CMAKE_SOURCE_DIR}/src/base/pch.cc)
    target_precompile_headers(arus_pch PRIVATE ${CMAKE_SOURCE_DIR}/src/base/pch.h)
    target_compile_options(arus_pch PRIVATE -Xclang -fno-pch-timestamp)
  endif()
  target_precompile_headers(${TARGET} REUSE_FROM arus_pch)
endfunction()
