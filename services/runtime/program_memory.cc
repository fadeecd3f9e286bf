// SPDX-License-Identifier: Apache-2.0
// Sealed lists and templates are megabytes that each search reads from end to end. In pages of 4 kB
// that waits for page tables (docs/adr/0025-hold-bulk-memory-in-huge-pages.md). Read by jemalloc
// when the program starts; what MALLOC_CONF says comes after it and wins.
// NOLINTNEXTLINE(readability-identifier-naming): the name is jemalloc's
extern "C" const char* malloc_conf;
const char* malloc_conf = "thp:always";
