# SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=<file.cc> -DFILES=<a.sql;b.sql> -P embed_sql.cmake
#
# Writes the migrations into a C++ table, in the order given, so that the binary carries them.
set(table "")
foreach(file IN LISTS FILES)
  file(READ ${file} sql)
  get_filename_component(name ${file} NAME_WE)
  string(REGEX MATCH "^[0-9]+" number ${name})
  math(EXPR number "${number}")
  string(APPEND table "    {${number}, R\"~sql~(${sql})~sql~\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// SPDX-License-Identifier: Apache-2.0
#include \"services/store/sqlite/migrations.h\"

namespace comity::store {
namespace {
constexpr Migration kMigrations[] = {
${table}};
}  // namespace

std::span<const Migration> EmbeddedMigrations() { return kMigrations; }

}  // namespace comity::store
")
