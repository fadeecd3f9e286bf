# SPDX-License-Identifier: Apache-2.0
include(GoogleTest)

# comity_test(NAME <name> SRCS ... DEPS <folders> [PRIVATE_DEPS ...] LABELS <labels> [ALONE ...] [WHOLE])
#
# One GoogleTest executable. LABELS: unit, conformance, tsan, postgres, integration, scale, e2e
# (CONTRIBUTING.md). WHOLE: one ctest test for all its cases, which share what is slow to start.
function(comity_test)
  cmake_parse_arguments(ARG "WHOLE" "NAME;TIMEOUT" "SRCS;DEPS;PRIVATE_DEPS;LABELS;ALONE" ${ARGN})
  set(deps ${ARG_DEPS})
  list(TRANSFORM deps REPLACE "/" "_")
  list(TRANSFORM deps PREPEND "comity::")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${ARG_NAME} ${ARG_SRCS})
  set_source_files_properties(${ARG_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  target_include_directories(${ARG_NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_definitions(${ARG_NAME} PRIVATE COMITY_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(${ARG_NAME} PRIVATE ${deps} comity_warnings ${ARG_PRIVATE_DEPS}
    GTest::gmock GTest::gtest_main)
  if(COMITY_TEST_WHOLE_PROGRAMS OR ARG_WHOLE)
    math(EXPR timeout "${ARG_TIMEOUT} * 5")
    add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME} --gtest_brief=1)
    set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${timeout})
    return()
  endif()
  gtest_discover_tests(${ARG_NAME} DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES TEST_LIST ${ARG_NAME}_TESTS
    PROPERTIES TIMEOUT ${ARG_TIMEOUT})
  # gtest_discover_tests flattens a list, so that of several labels only the first would count: they
  # are set by a file that ctest reads after the discovered tests.
  set(labels_file ${CMAKE_CURRENT_BINARY_DIR}/${ARG_NAME}_labels.cmake)
  file(WRITE ${labels_file}
    "foreach(name IN LISTS ${ARG_NAME}_TESTS)\n"
    "  set_tests_properties(\"\${name}\" PROPERTIES LABELS \"${ARG_LABELS}\")\n"
    "endforeach()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${labels_file})
endfunction()

# comity_fuzz(NAME <name> SRCS <target.cc> DEPS <folders> CORPUS <dir>)
#
# With COMITY_FUZZ: a libFuzzer executable. Without: the same target linked to a driver that replays the
# committed corpus as an ordinary test (label fuzz-corpus).
function(comity_fuzz)
  cmake_parse_arguments(ARG "" "NAME;CORPUS" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  set(deps ${ARG_DEPS})
  list(TRANSFORM deps REPLACE "/" "_")
  list(TRANSFORM deps PREPEND "comity::")
  if(COMITY_FUZZ)
    add_executable(${ARG_NAME} ${ARG_SRCS})
    target_link_options(${ARG_NAME} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${ARG_NAME} ${ARG_SRCS} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_corpus.cc)
    add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME} ${ARG_CORPUS})
    set_tests_properties(${ARG_NAME} PROPERTIES LABELS fuzz-corpus TIMEOUT 120)
  endif()
  target_include_directories(${ARG_NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${ARG_NAME} PRIVATE ${deps} comity_warnings ${ARG_PRIVATE_DEPS})
endfunction()
