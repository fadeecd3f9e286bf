#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The OCI image: whole, without a shell, not root's; its programs find everything they load."""
import gzip
import hashlib
import io
import json
import os
import tarfile
import tempfile
import unittest
from pathlib import Path

from package_test import PACKAGES, run


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        found = list(PACKAGES.glob("comity-gateway_*.oci.tar"))
        if len(found) != 1:
            raise AssertionError(f"{len(found)} images in {PACKAGES}: deploy/package/oci_image")
        with tarfile.open(found[0]) as archive:
            cls.members = {member.name: archive.extractfile(member).read()
                           for member in archive if member.isfile()}
        cls.index = json.loads(cls.members["index.json"])
        cls.manifest = json.loads(cls.blob(cls.index["manifests"][0]))
        cls.config = json.loads(cls.blob(cls.manifest["config"]))
        cls.layer = gzip.decompress(cls.blob(cls.manifest["layers"][0]))

    @classmethod
    def blob(cls, descriptor):
        return cls.members["blobs/" + descriptor["digest"].replace(":", "/")]

    def names(self):
        with tarfile.open(fileobj=io.BytesIO(self.layer)) as archive:
            return archive.getnames()

    def test_every_blob_has_its_digest_and_size(self):
        descriptors = [self.index["manifests"][0], self.manifest["config"],
                       *self.manifest["layers"]]
        for descriptor in descriptors:
            octets = self.blob(descriptor)
            self.assertEqual(descriptor["size"], len(octets))
            self.assertEqual(descriptor["digest"], "sha256:" + hashlib.sha256(octets).hexdigest())
        self.assertEqual(self.config["rootfs"]["diff_ids"],
                         ["sha256:" + hashlib.sha256(self.layer).hexdigest()])
        self.assertEqual(len(self.members), 2 + len(descriptors))
        self.assertEqual(json.loads(self.members["oci-layout"]), {"imageLayoutVersion": "1.0.0"})

    def test_it_runs_as_nobody_who_owns_anything_but_the_data(self):
        user = int(self.config["config"]["User"].split(":")[0])
        self.assertGreater(user, 1000)
        with tarfile.open(fileobj=io.BytesIO(self.layer)) as archive:
            owned = [member.name for member in archive if member.uid == user]
        self.assertEqual(owned, ["var/lib/comity"])

    def test_it_holds_no_other_program(self):
        programs = {name for name in self.names()
                    if name.startswith(("usr/bin/", "usr/sbin/", "bin/"))}
        self.assertEqual(programs, {"usr/bin/comity", "usr/bin/comityd"})

    @unittest.skipUnless(os.geteuid() == 0, "chroot is for root")
    def test_its_programs_start_in_it(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            with tarfile.open(fileobj=io.BytesIO(self.layer)) as archive:
                archive.extractall(folder)
            user = self.config["config"]["User"]
            for words, said in ((("/usr/bin/comityd", "--version"), "comityd/"),
                                (("/usr/bin/comity", "version"), "comity ")):
                done = run("chroot", f"--userspec={user}", folder, *words)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertTrue(done.stdout.startswith(said))
            started = self.config["config"]["Entrypoint"] + self.config["config"]["Cmd"]
            wrong = run("chroot", f"--userspec={user}", folder, *started)
            self.assertEqual(wrong.returncode, 1)
            self.assertIn(str(Path("/etc/comity/comityd.toml")), wrong.stderr)


if __name__ == "__main__":
    unittest.main()
