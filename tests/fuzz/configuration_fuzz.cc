// SPDX-License-Identifier: Apache-2.0
// The gateway's configuration: any octets are either a configuration within its bounds, or faults
// that have a place and can be told.
#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/base/utf8.h"
#include "services/runtime/config.h"
#include "services/runtime/config_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  const auto text = AsText({data, size});
  if (const auto endpoint = runtime::ParseEndpoint(text)) {
    COMITY_CHECK(runtime::ParseEndpoint(endpoint->text()) == *endpoint);
  }
  const std::filesystem::path file = "/etc/comity/comityd.toml";
  const auto config = runtime::ParseConfig(text, file);
  if (!config) {
    COMITY_CHECK(!config.error().empty());
    for (const runtime::ConfigIssue& issue : config.error()) {
      COMITY_CHECK(!issue.message.empty());
      COMITY_CHECK(!runtime::Describe(issue, file).empty());
    }
    return 0;
  }
  COMITY_CHECK(config->text == text);
  COMITY_CHECK(runtime::IsAgencyId(config->agency.id));
  COMITY_CHECK(runtime::IsTrustDomain(config->agency.trust_domain));
  COMITY_CHECK(config->administrators.size() == 2);
  COMITY_CHECK(config->administrators[0].id != config->administrators[1].id);
  COMITY_CHECK(config->data_directory.is_absolute());
  COMITY_CHECK(config->limits.max_streams > 0 && config->limits.peer_deadline.count() > 0);
  return 0;
}
