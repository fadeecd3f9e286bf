// SPDX-License-Identifier: Apache-2.0
#include "tests/support/postgres/server_account.h"

#include <pwd.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "crypto/base/bytes.h"
#include "crypto/base/random_id.h"
#include "services/runtime/file.h"

namespace comity::testing {

std::vector<std::string> AsServer(const std::vector<std::string>& command,
                                  const std::string& death_signal) {
  std::vector<std::string> whole = {"setpriv", "--pdeathsig", death_signal};
  if (::geteuid() == 0) {
    whole.insert(whole.end(), {"--reuid", "postgres", "--regid", "postgres", "--init-groups"});
  }
  whole.insert(whole.end(), {"--", "env", "-C", "/"});
  whole.insert(whole.end(), command.begin(), command.end());
  return whole;
}

Status GiveToServer(const std::filesystem::path& path) {
  if (::geteuid() != 0) return {};
  const passwd* user = ::getpwnam("postgres");
  if (user != nullptr && ::chown(path.c_str(), user->pw_uid, user->pw_gid) == 0) return {};
  return Fail(ErrorCode::kUnavailable, "there is no user postgres: install postgresql-15");
}

Status WriteForServer(const std::filesystem::path& path, std::string_view content) {
  COMITY_RETURN_IF_ERROR(runtime::WriteFile(path, AsBytes(content), 0600));
  return GiveToServer(path);
}

std::string NewPassword() {
  SystemRandom random;
  return RandomId(random);
}

std::string AskServer(const std::string& url, const std::string& sql) {
  pqxx::connection connection(url);
  pqxx::nontransaction channel(connection);
  const pqxx::result result = channel.exec(sql);
  if (result.empty() || result.columns() == 0) return {};
  return result[0][0].as<std::string>(std::string());
}

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace comity::testing
