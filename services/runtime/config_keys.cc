// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/config_keys.h"

#include <algorithm>
#include <array>

#include "crypto/base/check.h"

namespace comity::runtime {
namespace {

using enum KeyType;

constexpr std::int64_t kText128 = 128;
constexpr std::int64_t kPathSize = 2048;
constexpr std::string_view kIdLetters = "`a-z 0-9 -`, first a letter, last not `-`";

constexpr std::array kTables{
    ConfigTable{"agency", "required", "", ""},
    ConfigTable{"data", "required", "", ""},
    ConfigTable{"store", "",
                "Without this table the database is SQLite's, in the data directory. With it, it "
                "is a PostgreSQL database, 15 or later (`docs/operations/postgresql.md`); the data "
                "directory still holds the published log, sealed lists and the erasure ledger, and "
                "is shared by all gateways of the agency.",
                ""},
    ConfigTable{"listen", "",
                "An address is `host:port`; the host is a name, an IPv4 address or an IPv6 address "
                "in brackets; port 0 takes a free port. The three must differ.",
                ""},
    ConfigTable{"keys", "required",
                "Files marked *private* must belong to the gateway's user or root and have mode "
                "0600 or stricter. That is checked when the gateway starts and by `comity doctor`, "
                "not when the file is parsed.",
                ""},
    ConfigTable{"peers", "",
                "What is local about partners. Who they are is no matter of the configuration: "
                "they are enrolled in the running gateway by two people (`comity peer invite`, "
                "`comity peer accept`).",
                ""},
    ConfigTable{"administrator", "exactly two",
                "The people whom a new gateway knows; all others are added by two of those it "
                "knows (`comity person add`). The two have different ids and keys: that of the "
                "keys is found when the gateway starts and by `comity doctor`. A change of this "
                "table changes nobody whom the gateway knows already.",
                ""},
    ConfigTable{"limits", "", "",
                "What a caller asks beyond a limit is refused with `RESOURCE_EXHAUSTED`. Not "
                "configurable: 20 calls a second of one peer with a burst of 200 (`Deliver` 100 "
                "and 500, `FetchSealed` 50 and 500), 16 open `SealedSearch` streams of one peer, "
                "and all bounds of `services/transport/limits.h`."},
    ConfigTable{"alerts", "", "", ""},
    ConfigTable{"sealed", "", "", ""},
    ConfigTable{"log", "", "", ""},
};

constexpr std::array kKeys{
    ConfigKey{"agency", "id", kText, 1, 64, kIdLetters, "required",
              "the agency's id in agreements, messages and the log; for good"},
    ConfigKey{"agency", "name", kText, 1, kText128, "", "required", "the name people read"},
    ConfigKey{"agency", "trust_domain", kText, 1, 255, "`a-z 0-9 . - _`", "required",
              "SPIFFE trust domain; own engines and persons are "
              "`spiffe://<trust_domain>/engine/...` and `/person/...`"},

    ConfigKey{"data", "directory", kPath, 1, kPathSize, "", "required",
              "holds the database; made with mode 0700 if absent, used by one process at a time, "
              "on a local file system"},
    ConfigKey{"data", "erasure_ledger", kPath, 1, kPathSize, "not within `directory`", "none",
              "folder of the second copy of the erasure ledger and of the keys of backups, on "
              "another disk; without it no backup can be taken. While it cannot be written nothing "
              "is erased, and people are told"},

    ConfigKey{"store", "url", kText, 1, kPathSize, "`postgresql://...`, without a password",
              "required",
              "the database and the gateway's role in it; over a network with "
              "`sslmode=verify-full` and `sslrootcert`"},
    ConfigKey{"store", "password_file", kPrivatePath, 1, kPathSize, "", "none",
              "holds the password of that role alone"},
    ConfigKey{"store", "migration_url", kText, 1, kPathSize, "`postgresql://...`", "none",
              "as whom the gateway brings the schema up to date at its start; without it, a schema "
              "of another version is refused"},
    ConfigKey{"store", "migration_password_file", kPrivatePath, 1, kPathSize, "", "none",
              "holds the password of that role alone"},

    ConfigKey{"listen", "federation", kAddress, 0, 65535, "", "127.0.0.1:7443",
              "peers only, mutual TLS"},
    ConfigKey{"listen", "agency", kAddress, 0, 65535, "", "127.0.0.1:7444",
              "own engines, command line and console, mutual TLS"},
    ConfigKey{"listen", "web", kAddress, 0, 65535, "", "127.0.0.1:7445",
              "health, metrics and the published log"},

    ConfigKey{"keys", "tls", kPrivatePath, 1, kPathSize, "", "required",
              "PEM: the gateway's private key and certificate chain"},
    ConfigKey{"keys", "roots", kPath, 1, kPathSize, "", "required",
              "PEM: CA certificates of own engines and persons"},
    ConfigKey{"keys", "crl", kPath, 1, kPathSize, "", "none", "PEM: revocation list of the own CA"},
    ConfigKey{"keys", "signing", kPrivatePath, 1, kPathSize, "", "required",
              "the agency's Ed25519 key for messages"},
    ConfigKey{"keys", "log", kPrivatePath, 1, kPathSize, "", "required",
              "the Ed25519 key for checkpoints of the log; never change it with these data"},
    ConfigKey{"keys", "key_encryption", kPrivatePath, 1, kPathSize, "", "required",
              "the 256-bit key that wraps data keys"},

    ConfigKey{"peers", "crl_folder", kPath, 1, kPathSize, "", "none",
              "folder with `AGENCY.pem`, the revocation list of that partner's CA, replaced by "
              "rename. With it **every** partner needs a list: a missing, unreadable or expired "
              "one refuses that partner, and no other. Without it no partner's certificate is "
              "checked for revocation"},
    ConfigKey{"peers", "away_after", kSeconds, 3, 3600, "", "30",
              "a partner that was not heard for so long is away; it is asked three times in that "
              "time"},

    ConfigKey{"administrator", "id", kText, 1, 64, kIdLetters, "required",
              "the `<id>` of `spiffe://<trust_domain>/person/<id>`"},
    ConfigKey{"administrator", "post", kText, 1, kText128, "", "required",
              "as people read it; never a name"},
    ConfigKey{"administrator", "certificate", kPath, 1, kPathSize, "", "required",
              "PEM: the person's certificate, without its key"},
    ConfigKey{"administrator", "signing_key_file", kPath, 1, kPathSize, "", "required",
              "file with the person's public signing key: `ed25519:<base64>`"},

    ConfigKey{"limits", "max_streams", kNumber, 1, 1024, "", "32", "`Watch` streams open at once"},
    ConfigKey{"limits", "max_calls_per_peer", kNumber, 1, 1024, "", "32",
              "calls of one peer in progress at once, its open `Search` and `SealedSearch` streams "
              "among them"},
    ConfigKey{"limits", "max_deployments", kNumber, 1, 1024, "", "64",
              "deployments that are planned or active"},
    ConfigKey{"limits", "max_lists", kNumber, 1, 1000, "", "100",
              "watchlists held; a further import is refused"},
    ConfigKey{"limits", "max_entries_per_list", kNumber, 1, 1'000'000, "", "100000",
              "entries of one watchlist"},
    ConfigKey{"limits", "peer_deadline", kSeconds, 1, 60, "", "5",
              "how long a holder may take to open a session"},

    ConfigKey{"alerts", "merge_window", kSeconds, 1, 3600, "", "30",
              "further frames of the same entry within this time join the alert"},

    ConfigKey{"sealed", "answer_after", kMilliseconds, 0, 2000, "", "250",
              "answers to sealed probes leave so long after the question is whole, or at a further "
              "whole multiple if the work took longer, so that their time tells nothing. Each "
              "takes at least that long, and a stream at most 32 probes in that time: 128 a second "
              "by default. 0: at once, for measurements"},

    ConfigKey{"log", "level", kText, 1, kPathSize, "`debug`, `info`, `warn`, `error`", "info",
              "least level written to standard error, one JSON object a line"},
};

}  // namespace

std::span<const ConfigTable> ConfigTables() {
  return kTables;
}

std::span<const ConfigKey> ConfigKeys() {
  return kKeys;
}

const ConfigKey& ConfigKeyOf(std::string_view table, std::string_view key) {
  const auto* row = std::find_if(kKeys.begin(), kKeys.end(), [&](const ConfigKey& known) {
    return known.table == table && known.key == key;
  });
  COMITY_CHECK(row != kKeys.end());
  return *row;
}

}  // namespace comity::runtime
