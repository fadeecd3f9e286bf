#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two agencies on this machine, for whoever connects an engine: a gateway to talk to, a partner
that holds a list, agreements in force, and deployments that are under way.

usage: sandbox.py FOLDER [--bin FOLDER] [--entries N]

Makes FOLDER, starts two real gateways on loopback, does by the command line what the people of
both agencies would do, prints what an engine needs, and stays until Ctrl-C. No face in it is a real
one. FOLDER holds keys; delete it afterwards. The same facts as JSON: FOLDER/sandbox.json.

  --bin FOLDER   where comity and comityd are (default: the last build of this
                 tree, else the PATH)
  --entries N    of the list, 20 to 10000; default 100
"""
import argparse
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import sandbox_documents as documents

REQUESTER, HOLDER = "eastvale-council", "northshire-police"
ENGINE_NAME = "cameras"
ADMINISTRATORS = ("admin-1", "admin-2")
ROLES = {"operator": "operator", "supervisor": "supervisor", "adjudicator": "adjudicator",
         "dpo": "dpo", "siro": "signatory", "chief": "signatory"}
LIST = "lantern"
MODES = ("direct", "sealed")
PATIENCE = 120  # seconds; a slow machine is no fault


class SandboxError(Exception):
    """A program did not do what it must."""


def end_with_parent():
    """A gateway does not outlive its sandbox, also when that is killed."""
    pr_set_pdeathsig = 1  # <sys/prctl.h>
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def find_programs(folder=None):
    """The folder that holds comity and comityd."""
    tree = Path(__file__).resolve().parents[2]
    installed = shutil.which("comityd")
    builds = sorted((tree / "build").glob("*/bin/comityd"), key=lambda file: file.stat().st_mtime)
    places = [folder] if folder else [file.parent for file in reversed(builds)]
    if installed and not folder:
        places.append(Path(installed).parent)
    for place in places:
        if all((Path(place) / name).is_file() for name in ("comity", "comityd")):
            return Path(place)
    raise SandboxError("comity and comityd are not to be found: build them or give --bin")


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise SandboxError(f"not within {PATIENCE} s: {what}")


class Agency:
    """One agency: its keys, its people and its gateway, which runs from start() to stop()."""

    def __init__(self, name, folder, programs):
        self.name = name
        self.folder = Path(folder) / name
        self.pki = self.folder / "pki"
        self._programs = programs
        self.ports = {key: free_port() for key in ("federation", "agency-port", "web")}
        self.signing_keys = {}
        self.agency_key = ""
        self.gateway = None  # its process, while it runs

    @property
    def spiffe_id(self):
        return f"spiffe://{self.name}.example/gateway"

    @property
    def engine_profile(self):
        return self.pki / f"engines/{ENGINE_NAME}.toml"

    def profile(self, person):
        return self.pki / f"people/{person}.toml"

    def listen(self, port):
        return f"127.0.0.1:{self.ports[port]}"

    # -- commands

    def run(self, *command, person=None):
        """`comity ...` as one of the people; returns (exit code, JSON, error text)."""
        arguments = [str(self._programs / "comity"), *map(str, command), "--json"]
        if person:
            arguments += ["--profile", str(self.profile(person))]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        try:
            answer = json.loads(done.stdout) if done.stdout else None
        except json.JSONDecodeError:
            answer = None
        return done.returncode, answer, done.stderr.strip()

    def must(self, *command, person=None):
        code, answer, error = self.run(*command, person=person)
        if code != 0:
            raise SandboxError(f"{self.name}: comity {' '.join(map(str, command))}: {error}")
        return answer

    def once_possible(self, *command, person=None):
        """What needs something of the partner's, which travels by itself."""
        last = [""]

        def attempt():
            code, answer, last[0] = self.run(*command, person=person)
            return (answer or True) if code == 0 else None

        try:
            return until(attempt, " ".join(map(str, command)))
        except SandboxError as fault:
            raise SandboxError(f"{self.name}: {fault}: {last[0]}") from None

    def by_two(self, first, second, *command):
        act = self.must(*command, person=first)
        return self.approve(second, act)

    def approve(self, person, act, *how):
        how = how or ("--sha256", act["sha256"])
        return self.must("approvals", "approve", act["approval"], *how, person=person)

    # -- from nothing to a gateway with people

    def make_keys(self):
        self.folder.mkdir(parents=True)
        self.must("pki", "init", "--agency", self.name, "--name", f"Agency {self.name}",
                  "--trust-domain", f"{self.name}.example", "--dir", self.pki)
        self.must("pki", "issue", "--dir", self.pki, "--gateway")
        self.must("pki", "issue", "--dir", self.pki, "--engine", ENGINE_NAME,
                  "--listen", self.listen("agency-port"))
        for person in (*ADMINISTRATORS, *ROLES):
            issued = self.must("pki", "issue", "--dir", self.pki, "--person", person, "--post",
                               f"Post of {person}", "--listen", self.listen("agency-port"))
            self.signing_keys[person] = issued["signing_key"]
        command = ["pki", "config", "--dir", self.pki, "--out", self.folder / "comityd.toml",
                   "--data", self.folder / "data"]
        for port in self.ports:
            command += [f"--{port}", self.listen(port)]
        for administrator in ADMINISTRATORS:
            command += ["--administrator", self.pki / f"people/{administrator}.card.toml"]
        self.must(*command)
        # Sooner than an installation would: whoever tries something does not want to wait.
        with open(self.folder / "comityd.toml", "a", encoding="utf-8") as config:
            config.write("\n[sealed]\nanswer_after = 50\n")

    def start(self):
        with open(self.folder / "comityd.log", "ab") as log:
            self.gateway = subprocess.Popen(
                [self._programs / "comityd", "--config", self.folder / "comityd.toml"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                preexec_fn=end_with_parent)
        until(lambda: self.run("approvals", "list", person="admin-1")[0] == 0,
              f"{self.name} does not start; its log: {self.folder / 'comityd.log'}")

    def stop(self, sign=signal.SIGTERM):
        if self.gateway is None:
            return
        self.gateway.send_signal(sign)
        try:
            self.gateway.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.gateway.kill()
            self.gateway.wait()
        self.gateway = None

    def add_people(self):
        for person, role in ROLES.items():
            self.by_two(*ADMINISTRATORS, "person", "add",
                        self.pki / f"people/{person}.card.toml", "--role", role)

    def invite(self, card):
        invited = self.must("peer", "invite", "--address", self.listen("federation"), "--out",
                            card, person=ADMINISTRATORS[0])
        self.agency_key = invited["signing_key"]
        return invited["fingerprint"]

    def enrol(self, card, fingerprint):
        act = self.must("peer", "accept", card, person=ADMINISTRATORS[0])
        self.approve(ADMINISTRATORS[1], act, "--fingerprint", fingerprint)

    def sign(self, agreement):
        self.once_possible("agreement", "advise", agreement, "--position", "for", "--text",
                           "The impact assessment covers this.", person="dpo")
        for signatory in ("siro", "chief"):
            self.once_possible("agreement", "sign", agreement, person=signatory)

    def await_in_force(self, agreement):
        def is_in_force():
            _, status, _ = self.run("agreement", "status", agreement, person="dpo")
            return bool(status) and status[0].get("status") == "in-force"

        until(is_in_force, f"{self.name}: {agreement} is not in force")


class Sandbox:
    """Both agencies, from nothing to deployments in which an engine can search.

    council, police  requester and holder
    deployments      mode -> id
    listed           the templates on the list, in order; references are np-0, np-1 ...
    """

    def __init__(self, folder, programs=None, entries=100, tell=lambda line: None):
        self.folder = Path(folder)
        programs = find_programs(programs)
        self.council = Agency(REQUESTER, self.folder, programs)
        self.police = Agency(HOLDER, self.folder, programs)
        self.deployments = {}
        self.listed = documents.faces(entries, seed=1)
        self._tell = tell

    def start(self):
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        for agency in (self.council, self.police):
            agency.stop()

    def _start(self):
        self._tell("keys, gateways and people of two agencies ...")
        fingerprints = {}
        for agency in (self.council, self.police):
            agency.make_keys()
            agency.start()
            agency.add_people()
            fingerprints[agency.name] = agency.invite(self.folder / f"{agency.name}.card.toml")
        self.council.enrol(self.folder / f"{HOLDER}.card.toml", fingerprints[HOLDER])
        self.police.enrol(self.folder / f"{REQUESTER}.card.toml", fingerprints[REQUESTER])
        self._tell("agreements, signed by both ...")
        for mode in MODES:
            self._agree(f"sandbox-{mode}", mode)
        self._tell("a list, drafted by one and approved by another ...")
        self._make_list()
        self._tell("deployments, approved by a supervisor ...")
        for mode in MODES:
            self.deployments[mode] = self.propose(mode)
        self._write_facts()

    def _agree(self, name, mode):
        file = self.folder / f"{name}.yaml"
        file.write_text(documents.agreement(name, mode, self.council, self.police), "utf-8")
        self.police.must("agreement", "check", file)
        self.police.must("agreement", "submit", file, person="dpo")
        for agency in (self.police, self.council):
            agency.sign(name)
        for agency in (self.police, self.council):
            agency.await_in_force(name)

    def _make_list(self):
        base = self.folder / LIST
        base.with_suffix(".yaml").write_text(
            documents.definition(LIST, [f"sandbox-{mode}" for mode in MODES]), "utf-8")
        base.with_suffix(".jsonl").write_text(
            "".join(documents.entry(f"np-{at}") for at in range(len(self.listed))), "utf-8")
        base.with_suffix(".f32").write_bytes(documents.octets(self.listed))
        self.police.must("watchlist", "draft", base.with_suffix(".yaml"), person="operator")
        self.police.must("watchlist", "add", LIST, "--entries", base.with_suffix(".jsonl"),
                         "--templates", base.with_suffix(".f32"), person="operator")
        self.police.by_two("operator", "supervisor", "watchlist", "submit", LIST)

    def propose(self, mode):
        """A deployment that has begun, for two hours; returns its id."""
        proposed = self.council.once_possible(
            "deployment", "propose", "--agreement", f"sandbox-{mode}", "--purpose",
            documents.PURPOSE, "--category", documents.CATEGORY, "--engine-profile",
            f"{documents.ENGINE}/{documents.ENGINE_VERSION}/{documents.DIMENSION}", "--engine",
            ENGINE_NAME, "--threshold", documents.THRESHOLD, "--place", "Old Bridge", "--reason",
            "trying out an engine", "--case-ref", "SANDBOX-1", "--hours", "2", "--mode", mode,
            "--expected-faces", "100000", "--false-match-rate", "0.000001", "--test-report",
            "none: synthetic faces", "--budget", "100", person="operator")
        self.council.approve("supervisor", proposed["pending"])
        return proposed["deployment"]

    def _write_facts(self):
        frames = [documents.another_frame(face, seed) for seed, face in
                  enumerate(self.listed[:20])]
        strangers = documents.faces(180, seed=2)
        mixed = [row for at in range(20) for row in (frames[at], *strangers[9 * at:9 * at + 9])]
        (self.folder / "faces.npy").write_bytes(documents.npy(mixed))
        facts = {
            "profile": str(self.council.engine_profile),
            "operator_profile": str(self.council.profile("operator")),
            "deployments": self.deployments, "faces": str(self.folder / "faces.npy"),
            "gateway": self.council.listen("agency-port"), "entries": len(self.listed)}
        (self.folder / "sandbox.json").write_text(json.dumps(facts, indent=2) + "\n", "utf-8")


def describe(sandbox):
    council = sandbox.council
    return f"""
The agency is {council.name}; its partner {HOLDER} holds a list of {len(sandbox.listed)} entries.

  export ENGINE_PROFILE={council.engine_profile}
  export DEPLOYMENT={sandbox.deployments["direct"]}
  export SEALED_DEPLOYMENT={sandbox.deployments["sealed"]}
  export COMITY_PROFILE={council.profile("operator")}
  export FACES={sandbox.folder / "faces.npy"}

FACES has 200 templates of {documents.DIMENSION} float32; rows 0, 10, 20 ... are on the list.
The gateways run until Ctrl-C; their logs are {sandbox.folder}/*/comityd.log."""


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--bin", metavar="FOLDER", type=Path)
    parser.add_argument("--entries", metavar="N", type=int, default=100)
    options = parser.parse_args()
    if not 20 <= options.entries <= 10_000:
        parser.error("--entries: 20 to 10000")
    if options.folder.exists():
        parser.error(f"{options.folder} exists; name a new folder")
    os.umask(0o077)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        sandbox = Sandbox(options.folder.resolve(), options.bin, options.entries,
                          lambda line: print(line, flush=True))
        sandbox.start()
    except SandboxError as fault:
        print(f"sandbox: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(describe(sandbox), flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print("\nstopping", flush=True)
    finally:
        sandbox.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
