# SPDX-License-Identifier: Apache-2.0
# Warnings, sanitizers and hardening for our own code only: PRIVATE, never handed to a consumer.
add_library(comity_warnings INTERFACE)
target_compile_options(comity_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Wundef -Wswitch-enum)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of g++ 12: inlined strings (GCC bugs 105329, 105651), and local types of a source
  # that a unity build includes.
  target_compile_options(comity_warnings INTERFACE -Wno-array-bounds
    -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-subobject-linkage)
endif()

# Paths in debug information and messages are relative, so that a build is the same in any folder.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(COMITY_SANITIZE)
  add_compile_options(-fsanitize=${COMITY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${COMITY_SANITIZE})
endif()
if(COMITY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# comity_library(NAME <folder path> [SRCS ...] [HDRS ...] [DEPS ...] [PRIVATE_DEPS ...] [ALONE ...])
#
# One static library per folder: comity_library(NAME crypto/merkle ...) makes target
# comity_crypto_merkle with the alias comity::crypto_merkle. DEPS name folders of this tree
# (crypto/base); they must equal the folder's row in tests/arch/include_table.json. PRIVATE_DEPS are
# imported third-party targets. ALONE names those of SRCS whose local names are also local names of
# another source, so that a unity build compiles them by themselves. Headers are checked to compile alone by all_verify_interface_header_sets.
function(comity_library)
  cmake_parse_arguments(ARG "" "NAME" "SRCS;HDRS;DEPS;PRIVATE_DEPS;ALONE" ${ARGN})
  string(REPLACE "/" "_" suffix ${ARG_NAME})
  set(target comity_${suffix})
  set(deps ${ARG_DEPS})
  list(TRANSFORM deps REPLACE "/" "_")
  list(TRANSFORM deps PREPEND "comity::")
  if(ARG_SRCS)
    add_library(${target} STATIC ${ARG_SRCS})
    target_link_libraries(${target} PUBLIC ${deps} PRIVATE comity_warnings ${ARG_PRIVATE_DEPS})
    set_source_files_properties(${ARG_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${deps} ${ARG_PRIVATE_DEPS})
    set(scope INTERFACE)
  endif()
  add_library(comity::${suffix} ALIAS ${target})
  target_include_directories(${target} ${scope} ${CMAKE_SOURCE_DIR})
  if(ARG_HDRS)
    target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${ARG_HDRS})
  endif()
endfunction()
