// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "services/runtime/config.h"
#include "services/runtime/file.h"

namespace comity::runtime {
namespace {

using Faults = std::vector<std::string>;

void CheckSecret(std::string_view key, const std::filesystem::path& path, Faults& faults) {
  if (const Status status = CheckPrivateFile(path); !status) {
    faults.push_back(std::string(key) + ": " + status.error().detail);
  } else if (::access(path.c_str(), R_OK) != 0) {
    faults.push_back(std::string(key) + ": cannot read " + path.string());
  }
}

void CheckPublic(std::string_view key, const std::filesystem::path& path, Faults& faults) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    faults.push_back(std::string(key) + ": there is no file " + path.string());
  } else if (::access(path.c_str(), R_OK) != 0) {
    faults.push_back(std::string(key) + ": cannot read " + path.string());
  }
}

void CheckFolder(std::string_view key, const std::filesystem::path& path, Faults& faults) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return;
  faults.push_back(std::string(key) + ": there is no folder " + path.string());
}

}  // namespace

std::vector<std::string> CheckConfigFiles(const Config& config) {
  Faults faults;
  if (config.store && config.store->password_file) {
    CheckSecret("store.password_file", *config.store->password_file, faults);
  }
  if (config.store && config.store->migration_password_file) {
    CheckSecret("store.migration_password_file", *config.store->migration_password_file, faults);
  }
  CheckSecret("keys.tls", config.keys.tls, faults);
  CheckPublic("keys.roots", config.keys.roots, faults);
  if (config.keys.crl) CheckPublic("keys.crl", *config.keys.crl, faults);
  CheckSecret("keys.signing", config.keys.signing, faults);
  CheckSecret("keys.log", config.keys.log, faults);
  CheckSecret("keys.key_encryption", config.keys.key_encryption, faults);
  for (const AdministratorConfig& person : config.administrators) {
    CheckPublic("administrator " + person.id + " certificate", person.certificate, faults);
    CheckPublic("administrator " + person.id + " signing_key_file", person.signing_key_file,
                faults);
  }
  if (config.peers.crl_folder) {
    CheckFolder("peers.crl_folder", *config.peers.crl_folder, faults);
  }
  return faults;
}

}  // namespace comity::runtime
