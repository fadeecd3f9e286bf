// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/broken_set_ups.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "crypto/base/check.h"
#include "services/runtime/descriptor.h"
#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/certificate_builder.h"
#include "services/transport/pki.h"
#include "services/transport/pki_folder.h"
#include "tests/support/partners.h"

namespace comity::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::days;

void Write(const fs::path& file, std::string_view text, mode_t mode = 0600) {
  COMITY_CHECK(runtime::WriteFile(file, AsBytes(text), mode).has_value());
}

std::string Read(const fs::path& file) {
  auto text = runtime::ReadTextFile(file, std::size_t{1} << 26);
  COMITY_CHECK(text.has_value());
  return *std::move(text);
}

// Keeps the mode of `to`'s name: WriteFile sets it.
void Copy(const fs::path& from, const fs::path& to) {
  Write(to, Read(from));
}

// Octets in place of others, as a failing disk or another program leaves them.
void Patch(const fs::path& file, off_t offset, const std::string& octets) {
  const runtime::Descriptor to(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  COMITY_CHECK(::pwrite(to.get(), octets.data(), octets.size(), offset) ==
               static_cast<ssize_t>(octets.size()));
}

void Renew(const Site& site, int length, days from_now) {
  transport::IssueRequest request;
  request.days = length;
  request.renew = true;
  const auto at = runtime::SystemClock().Now() + from_now;
  COMITY_CHECK(transport::Issue(site.pki(), request, at).has_value());
}

// An authority with one below it, as many agencies have, of which the gateway shows its leaf only.
void ForgetIntermediate(const Site& site) {
  const auto now = runtime::SystemClock().Now();
  const auto spec = [&](const char* name, bool is_authority) {
    transport::CertificateSpec made;
    made.organisation = "northshire-police";
    made.common_name = name;
    made.not_before = now - days(1);
    made.not_after = now + days(30);
    made.is_authority = is_authority;
    made.path_length = 1;
    return made;
  };
  const auto root_key = transport::GenerateTlsKey();
  const auto middle_key = transport::GenerateTlsKey();
  const auto key = transport::GenerateTlsKey();
  const auto root =
      transport::MakeCertificate(spec("Root", true), root_key.get(), {nullptr, root_key.get()});
  const auto middle = transport::MakeCertificate(spec("Issuing CA", true), middle_key.get(),
                                                 {root.get(), root_key.get()});
  auto leaf_spec = spec("gateway", false);
  leaf_spec.alternative_names = "URI:spiffe://northshire-police.example/gateway";
  const auto leaf =
      transport::MakeCertificate(leaf_spec, key.get(), {middle.get(), middle_key.get()});
  const SecretBytes pem = transport::EncodeKeyAndCertificate(key.get(), *leaf);
  Write(site.pki() / "gateway.pem", AsText(pem.Expose()));
  Write(site.pki() / "ca" / "ca.pem", transport::EncodePem(*root));
  site.Configure("crl = ", "# crl = ");
}

// Listens as long as the object lives, and answers no handshake.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    COMITY_CHECK(::bind(socket_.get(), any, size) == 0 && ::listen(socket_.get(), 8) == 0);
    COMITY_CHECK(::getsockname(socket_.get(), any, &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  int port() const { return port_; }

 private:
  runtime::Descriptor socket_;
  int port_ = 0;
};

std::string AddressOf(const LiveAgency& agency) {
  return "127.0.0.1:" + std::to_string(agency.federation_port());
}

void ReplaceLine(const Site& site, const std::string& key, const std::string& line) {
  const std::string text = Read(site.config());
  const std::size_t at = text.find("\n" + key + " = ") + 1;
  COMITY_CHECK(at != 0);
  site.Configure(text.substr(at, text.find('\n', at) - at), line);
}

void AddKeys(std::vector<BrokenSetUp>& all) {
  all.push_back(
      {"KeyFileReadableByOthers",
       [](const Site& site) { fs::permissions(site.pki() / "keys" / "log.key", fs::perms(0644)); },
       "WRONG", "keys.log", "chmod"});
  all.push_back({"KeyFileMissing",
                 [](const Site& site) { fs::remove(site.pki() / "keys" / "agency-signing.key"); },
                 "WRONG", "keys.signing", "agency-signing.key"});
  all.push_back({"KeyAndCertificateOfTwoPairs",
                 [](const Site& site) {
                   const std::string own = Read(site.pki() / "gateway.pem");
                   const std::string other = Read(site.neighbours.council.pki() / "gateway.pem");
                   const std::string begin = "-----BEGIN CERTIFICATE-----";
                   Write(site.pki() / "gateway.pem",
                         other.substr(0, other.find(begin)) + own.substr(own.find(begin)));
                 },
                 "WRONG", "keys.tls", "key"});
  all.push_back({"CertificateExpired", [](const Site& site) { Renew(site, 10, -days(11)); },
                 "WRONG", "keys.tls", "expired at"});
  all.push_back({"CertificateNotYetValid", [](const Site& site) { Renew(site, 90, days(2)); },
                 "WRONG", "clock", "when the gateway's certificate was issued"});
  all.push_back({"CertificateExpiresSoon", [](const Site& site) { Renew(site, 10, days(0)); },
                 "WARN", "keys.tls", "in less than 14 days", 0});
  all.push_back({"SpiffeIdOfAnEngine",
                 [](const Site& site) {
                   Copy(site.pki() / "engines" / "cameras.pem", site.pki() / "gateway.pem");
                 },
                 "WRONG", "keys.tls",
                 "spiffe://northshire-police.example/engine/cameras, not of a gateway"});
  all.push_back({"SpiffeIdOfAnotherAgency",
                 [](const Site& site) {
                   Copy(site.neighbours.council.pki() / "gateway.pem", site.pki() / "gateway.pem");
                 },
                 "WRONG", "keys.tls", "but agency.trust_domain is northshire-police.example"});
  all.push_back({"ChainWithoutIntermediate", ForgetIntermediate, "WRONG", "keys.tls",
                 "append the intermediate certificate"});
  all.push_back({"AnchorFileOfAnotherAgency",
                 [](const Site& site) {
                   Copy(site.neighbours.council.pki() / "ca" / "ca.pem",
                        site.pki() / "ca" / "ca.pem");
                   Copy(site.neighbours.council.pki() / "crl.pem", site.pki() / "crl.pem");
                 },
                 "WRONG", "keys.tls", "Comity CA of eastvale-council.example"});
  all.push_back({"RevocationListMissing",
                 [](const Site& site) { fs::remove(site.pki() / "crl.pem"); }, "WRONG", "keys.crl",
                 "there is no file"});
  all.push_back({"RevocationListExpired",
                 [](const Site& site) {
                   const auto then = runtime::SystemClock().Now() - days(8);
                   COMITY_CHECK(transport::RenewCrl(site.pki(), then).has_value());
                 },
                 "WRONG", "keys.roots and keys.crl", "revocation list has expired"});
  all.push_back({"RevocationListNotConfigured",
                 [](const Site& site) { site.Configure("crl = ", "# crl = "); }, "WARN", "keys.crl",
                 "a revoked person or engine gets in", 0});
  all.push_back({"AdministratorOfAnotherAgency",
                 [](const Site& site) {
                   Copy(site.neighbours.council.pki() / "people" / "admin-1.crt",
                        site.pki() / "people" / "admin-1.crt");
                 },
                 "WRONG", "administrator admin-1 certificate", "eastvale-council.example"});
}

void AddNetwork(std::vector<BrokenSetUp>& all) {
  const auto taken = std::make_shared<SilentServer>();
  all.push_back({"PortInUse",
                 [taken](const Site& site) {
                   ReplaceLine(site, "web",
                               "web = \"127.0.0.1:" + std::to_string(taken->port()) + "\"");
                 },
                 "WRONG", "listen.web", "is in use by another program"});
  all.push_back({"AddressOfAnotherMachine",
                 [](const Site& site) { ReplaceLine(site, "web", "web = \"192.0.2.77:7445\""); },
                 "WRONG", "listen.web", "is no address of this machine"});
  all.push_back({"FederationPortOnLoopbackOnly",
                 [](const Site& site) { site.Enrol(site.neighbours.silent, "192.0.2.7:7443"); },
                 "WARN", "listen.federation", "westmoor-police is at 192.0.2.7:7443"});
  all.push_back({"PartnerUnreachable",
                 [](const Site& site) {
                   site.Enrol(site.neighbours.silent, AddressOf(site.neighbours.silent));
                 },
                 "WRONG", "partner westmoor-police", "Connection refused"});
  all.push_back({"PartnerWithAnotherCertificate",
                 [](const Site& site) {
                   site.Enrol(site.neighbours.silent, AddressOf(site.neighbours.council));
                 },
                 "WRONG", "partner westmoor-police", "shows another certificate"});
  all.push_back({"PartnerThatHasNotEnrolledThisAgency",
                 [](const Site& site) {
                   site.Enrol(site.neighbours.stranger, AddressOf(site.neighbours.stranger));
                 },
                 "WRONG", "partner southmere-police", "does not admit this gateway"});
  all.push_back({"PartnerThatSpeaksNoTls",
                 [taken](const Site& site) {
                   site.Enrol(site.neighbours.silent, "127.0.0.1:" + std::to_string(taken->port()));
                 },
                 "WRONG", "partner westmoor-police", "no TLS 1.3 handshake"});
  all.push_back({"RevocationListOfAPartnerMissing",
                 [](const Site& site) {
                   fs::create_directory(site.folder / "crls");
                   Write(site.config(), Read(site.config()) + "\n[peers]\ncrl_folder = \"crls\"\n");
                 },
                 "WRONG", "partner eastvale-council",
                 "its revocation list or CA cannot be used here"});
}

void AddData(std::vector<BrokenSetUp>& all) {
  all.push_back({"DataFolderOpenToOthers",
                 [](const Site& site) { fs::permissions(site.data(), fs::perms(0755)); }, "WRONG",
                 "data.directory", "chmod 0700"});
  all.push_back({"DataFolderIsAFile",
                 [](const Site& site) {
                   fs::remove_all(site.data());
                   Write(site.data(), "x");
                 },
                 "WRONG", "data.directory", "is no folder"});
  all.push_back({"LedgerMissing", [](const Site& site) { fs::remove_all(site.folder / "ledger"); },
                 "WARN", "data.erasure_ledger", "if its disk is not mounted", 0});
  all.push_back(
      {"LedgerNotConfigured",
       [](const Site& site) { site.Configure("erasure_ledger = ", "# erasure_ledger = "); }, "WARN",
       "data.erasure_ledger", "no backup can be made", 0});
  all.push_back({"LedgerOnTheDiskOfTheData", [](const Site&) {}, "WARN", "data.erasure_ledger",
                 "is on the same disk as the data", 0});
  // Offset 68 of the header is the application id (sqlite.org/fileformat.html).
  all.push_back({"DatabaseOfAnotherProgram",
                 [](const Site& site) { Patch(site.data() / "comity.db", 68, "mail"); }, "WRONG",
                 "database", "is the database of another program"});
  all.push_back({"DatabaseOfANewerSchema",
                 [](const Site& site) {
                   SQLite::Database(site.data() / "comity.db", SQLite::OPEN_READWRITE)
                       .exec("INSERT INTO schema_version (version) VALUES (9999)");
                 },
                 "WRONG", "database", "comity.db has schema 9999, this program knows up to"});
  all.push_back({"TableThatSomebodyElseWroteTo",
                 [](const Site& site) {
                   SQLite::Database(site.data() / "comity.db", SQLite::OPEN_READWRITE)
                       .exec(
                           "INSERT INTO stop (id, scope, reference, set_by, reason, regulator,"
                           " set_at, lifted_by, lift_reason, lifted_at) VALUES ('stop-x', 4, 'x',"
                           " 'eve', 'x', '', 1, '', '', 0)");
                 },
                 "WRONG", "database", "its table stop is not to be trusted"});
  all.push_back({"DatabaseThatIsNone",
                 [](const Site& site) { Write(site.data() / "comity.db", std::string(8192, 'x')); },
                 "WRONG", "database", "restore a backup"});
  all.push_back({"DatabaseDamaged",
                 [](const Site& site) {
                   const fs::path file = site.data() / "comity.db";
                   const auto size = static_cast<off_t>(fs::file_size(file));
                   for (off_t page = 40; page * 4096 < size; ++page) {
                     Patch(file, page * 4096, std::string(64, 'x'));
                   }
                 },
                 "WRONG", "database", "comity.db is damaged"});
  all.push_back({"LogKeyThatDidNotSignTheLog",
                 [](const Site& site) {
                   Copy(site.neighbours.silent.pki() / "keys" / "log.key",
                        site.pki() / "keys" / "log.key");
                 },
                 "WRONG", "keys.log", "this key did not sign the log"});
  all.push_back({"SigningKeyOfOtherData",
                 [](const Site& site) {
                   Copy(site.neighbours.silent.pki() / "keys" / "agency-signing.key",
                        site.pki() / "keys" / "agency-signing.key");
                 },
                 "WRONG", "keys.signing", "is not vouched for by this key"});
  all.push_back({"DataOfAnotherAgency",
                 [](const Site& site) {
                   site.Configure("id = \"northshire-police\"", "id = \"northshire-polise\"");
                 },
                 "WRONG", "agency.id", "these are the data of northshire-police"});
}

void AddConfiguration(std::vector<BrokenSetUp>& all) {
  all.push_back({"TomlSyntaxError", [](const Site& site) { site.Configure("[data]", "[data"); },
                 "WRONG", "configuration", "comityd.toml:5:"});
  all.push_back({"UnknownKey",
                 [](const Site& site) { site.Configure("trust_domain =", "trust_domian ="); },
                 "WRONG", "configuration", "did you mean `trust_domain`"});
  all.push_back({"AgencyIdOfNoForm",
                 [](const Site& site) {
                   site.Configure("id = \"northshire-police\"", "id = \"Northshire Police\"");
                 },
                 "WRONG", "configuration", "comityd.toml:2:"});
}

void AddMachine(std::vector<BrokenSetUp>& all) {
  const auto nothing = [](const Site&) {};
  all.push_back({"FewOpenFiles", nothing, "WRONG", "open files", "512 files may be open", 1,
                 R"(shift; ulimit -n 512; exec "$@")"});
  all.push_back({"NoHugePages", nothing, "WARN", "huge pages", "echo madvise", 0,
                 R"(echo 'always madvise [never]' >"$1/none"
                    mount --bind "$1/none" /sys/kernel/mm/transparent_hugepage/enabled || exit 77
                    shift; exec "$@")"});
  all.push_back({"Swap", nothing, "WARN", "swap", "is not encrypted", 0,
                 R"(printf 'Filename Type\n/dev/vdb partition\n' >"$1/swaps"
                    mount --bind "$1/swaps" /proc/swaps || exit 77
                    shift; exec "$@")"});
  all.push_back({"DataFolderInMemory", nothing, "WARN", "data.directory", "(tmpfs)", 0,
                 R"(mv "$1/data" "$1/kept"; mkdir -m 0700 "$1/data"
                    mount -t tmpfs -o size=1g,mode=0700 none "$1/data" || exit 77
                    cp -a "$1/kept/." "$1/data"
                    shift; exec "$@")"});
  all.push_back({"DiskFull", nothing, "WRONG", "data.directory", "it is full", 1,
                 R"(mv "$1/data" "$1/kept"; mkdir -m 0700 "$1/data"
                    mount -t tmpfs -o size=32m,mode=0700 none "$1/data" || exit 77
                    cp -a "$1/kept/." "$1/data"
                    shift; exec "$@")"});
  all.push_back({"DiskNearlyFull", nothing, "WARN", "data.directory", "less than 512 MiB", 0,
                 R"(mv "$1/data" "$1/kept"; mkdir -m 0700 "$1/data"
                    mount -t tmpfs -o size=256m,mode=0700 none "$1/data" || exit 77
                    cp -a "$1/kept/." "$1/data"
                    shift; exec "$@")"});
  all.push_back({"DataFolderOfAnotherUser", nothing, "WRONG", "data.directory", "belongs to nobody",
                 1,
                 R"(chown nobody "$1/data" || exit 77
                    shift; exec "$@")"});
}

}  // namespace

void Site::Configure(const std::string& from, const std::string& to) const {
  std::string text = Read(config());
  const std::size_t at = text.find(from);
  COMITY_CHECK(at != std::string::npos);
  Write(config(), text.replace(at, from.size(), to));
}

void Site::Enrol(const LiveAgency& agency, const std::string& address) const {
  const auto loaded = runtime::LoadConfig(config());
  COMITY_CHECK(loaded.has_value());
  const runtime::SystemClock clock;
  SeedPartners(*loaded, {CardOf({agency.name(), agency.pki(), address}, clock)}, clock);
}

std::vector<BrokenSetUp> BrokenSetUps() {
  std::vector<BrokenSetUp> all;
  AddKeys(all);
  AddNetwork(all);
  AddData(all);
  AddConfiguration(all);
  AddMachine(all);
  return all;
}

}  // namespace comity::testing
