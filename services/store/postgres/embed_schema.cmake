# SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=<file.cc> -DFILES=<0015_a.sql;0015_b.sql> -DGRANTS=<grants.sql> -P embed_schema.cmake
#
# Writes the steps of the schema into a C++ table, in the order given, so that the binary carries
# them. Several files of one number are one step.
set(table "")
foreach(file IN LISTS FILES)
  file(READ ${file} sql)
  get_filename_component(name ${file} NAME_WE)
  string(REGEX MATCH "^[0-9]+" number ${name})
  math(EXPR number "${number}")
  string(APPEND table "    {${number}, R\"~sql~(${sql})~sql~\"},\n")
endforeach()
file(READ ${GRANTS} grants)
file(WRITE ${OUTPUT} "// SPDX-License-Identifier: Apache-2.0
#include \"services/store/postgres/postgres_schema.h\"

namespace comity::store {
namespace {
constexpr PostgresStep kSteps[] = {
${table}};
}  // namespace

std::span<const PostgresStep> PostgresSteps() { return kSteps; }
const char* PostgresGrants() { return R\"~sql~(${grants})~sql~\"; }

}  // namespace comity::store
")
