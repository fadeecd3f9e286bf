// SPDX-License-Identifier: Apache-2.0
// The URL of the store: what is taken reaches this machine, or goes by TLS 1.3 to a server whose
// name and certificate are checked; no password stands in it.
#include <cstddef>
#include <cstdint>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "services/store/postgres/postgres_url.h"

namespace {

bool Has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  const auto url = store::PostgresUrl::Parse(AsText({data, size}), {});
  if (!url) {
    COMITY_CHECK(!url.error().detail.empty());
    return 0;
  }
  COMITY_CHECK(!url->role().empty());
  const auto connection = url->ConnectionString("fuzz");
  COMITY_CHECK(connection.has_value());
  COMITY_CHECK(!Has(*connection, " password='"));
  COMITY_CHECK(Has(*connection, " ssl_min_protocol_version='TLSv1.3'"));
  const bool is_near = Has(*connection, " host='/") || Has(*connection, " host='@") ||
                       Has(*connection, " host='localhost") || Has(*connection, " host='127.") ||
                       Has(*connection, " host='::1") || Has(*connection, " host=''") ||
                       Has(*connection, " host=',");
  COMITY_CHECK(is_near ||
               (Has(*connection, " sslmode='verify-full'") && Has(*connection, " sslrootcert='")));
  return 0;
}
