# SPDX-License-Identifier: Apache-2.0
"""An engine in Python against two real gateways."""
import os
import signal
import tempfile
import threading
import time
import unittest
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import grpc
import sandbox_documents as documents
from comity_engine import (Answered, BadFace, BadProfile, CannotConnect, Face, GatewayRefused,
                           Profile, Refused, Search, Unanswered, Watch, identify)
from comity_engine.channel import open_channel
from comity_engine.wire import recognition_pb2, recognition_pb2_grpc
from sandbox import Sandbox

PATIENCE = 60.0
world = None
folder = None


def setUpModule():
    global world, folder
    folder = tempfile.TemporaryDirectory(prefix="comity-engine-world-")
    world = Sandbox(folder.name, Path(os.environ["COMITY_BIN"]), entries=30)
    world.start()


def tearDownModule():
    world.stop()
    folder.cleanup()


def engine():
    return Profile.load(world.council.engine_profile)


def until(condition):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


class Heard(list):
    """Answers as they come."""

    def of(self, capture_ref):
        return [answer for answer in self if answer.capture_ref == capture_ref]

    def settled(self):
        return Counter((answer.sequence, answer.holder) for answer in self)


class LiveTest(unittest.TestCase):
    def setUp(self):
        self.heard = Heard()

    def watch(self, mode="direct", **options):
        return Watch(engine(), world.deployments[mode], self.heard.append, **options)

    def ask(self, watch, values, name, **more):
        """Sends one face and waits until it is settled; returns its answer."""
        watch.send(Face(values, name, "north", **more), timeout=PATIENCE)
        self.assertTrue(watch.drain(PATIENCE))
        return self.heard.of(name)[-1]

    def answered(self, watch, values, **more):
        """As ask(), and again as a camera sees a person again, until a holder has searched."""
        tries = iter(range(10_000))
        is_searched = until(lambda: isinstance(
            self.ask(watch, values, f"try-{next(tries)}", **more).outcome, Answered))
        self.assertTrue(is_searched, self.heard[-1:])
        return self.heard[-1]


class SearchesTest(LiveTest):
    def test_a_listed_face_becomes_an_alert_and_a_passer_by_does_not(self):
        for mode in ("direct", "sealed"):
            with self.subTest(mode), self.watch(mode) as watch:
                self.assertEqual(watch.opened.holders, ("northshire-police",))
                self.assertEqual(watch.opened.dimension, documents.DIMENSION)
                self.assertAlmostEqual(watch.opened.threshold, documents.THRESHOLD)
                hit = self.answered(watch, documents.another_frame(world.listed[3], 1))
                self.assertEqual([alert.reference for alert in hit.alerts], ["np-3"])
                self.assertEqual(hit.alerts[0].category, documents.CATEGORY)
                self.assertEqual(hit.outcome.entries, 30)
                self.assertEqual(hit.mode, mode)
                miss = self.answered(watch, documents.faces(1, seed=77)[0])
                self.assertEqual(miss.alerts, ())

    def test_a_further_frame_joins_its_alert(self):
        with self.watch() as watch:
            first = self.answered(watch, world.listed[5])
            second = self.answered(watch, documents.another_frame(world.listed[5], 2))
            self.assertEqual(first.alerts[0].id, second.alerts[0].id)
            self.assertTrue(second.alerts[0].merged)

    def test_a_fourth_face_of_a_track_is_not_searched_in_a_sealed_list(self):
        with self.watch("sealed") as watch:
            self.answered(watch, world.listed[0])
            strangers = documents.faces(3, seed=5)
            for values in strangers:
                self.answered(watch, values, track="walker")
            fourth = self.answered(watch, world.listed[9], track="walker")
            self.assertEqual(fourth.alerts, ())
            self.assertEqual(len(self.answered(watch, world.listed[9]).alerts), 1)

    def test_faces_of_many_threads_are_each_settled_once_before_the_watch_is_closed(self):
        strangers = documents.faces(60, seed=9)
        with self.watch() as watch:
            threads = [threading.Thread(target=lambda part: [
                watch.send(Face(values, "many", "north")) for values in part],
                args=(strangers[at::3],)) for at in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(set(self.heard.settled().values()), {1})
        self.assertEqual(len(self.heard), 60)

    def test_a_fault_in_the_engines_own_code_stops_no_answer(self):
        def fail(answer):
            self.heard.append(answer)
            raise ZeroDivisionError

        with self.assertLogs("comity_engine", "ERROR"):
            with Watch(engine(), world.deployments["direct"], fail) as watch:
                self.ask(watch, world.listed[0], "first")
                self.ask(watch, world.listed[1], "second")


class BoundsTest(LiveTest):
    def test_a_bad_face_is_refused_here_and_the_watch_goes_on(self):
        with self.watch() as watch:
            with self.assertRaises(BadFace):
                watch.send(Face(world.listed[0][:-1], "short", "north"))
            with self.assertRaises(BadFace):
                watch.send(Face(world.listed[0], "", "north"))
            with self.assertRaises(BadFace):
                watch.send(Face(world.listed[0], "ahead", "north", captured_at=datetime.now(
                    timezone.utc) + timedelta(seconds=90)))
            self.answered(watch, world.listed[0])
            self.assertIsNone(watch.ended)

    def test_a_face_older_than_30_seconds_is_not_sent(self):
        with self.watch() as watch:
            old = datetime.now(timezone.utc) - timedelta(seconds=31)
            answer = self.ask(watch, world.listed[0], "old", captured_at=old)
            self.assertEqual(answer.outcome, Unanswered("not-sent"))

    def raw(self, values, **fields):
        """What the gateway itself says to a probe that is not checked here."""
        channel = open_channel(engine())
        probe = recognition_pb2.WatchProbe(
            sequence=1, capture_ref="raw", camera="north", embedding=documents.octets([values]))
        probe.captured_at.FromDatetime(datetime.utcnow())
        for name, value in fields.items():
            setattr(probe, name, value)
        requests = [recognition_pb2.WatchRequest(open=recognition_pb2.WatchOpen(
            deployment=world.deployments["direct"])), recognition_pb2.WatchRequest(probe=probe)]
        try:
            list(recognition_pb2_grpc.RecognitionStub(channel).Watch(iter(requests)))
        except grpc.RpcError as status:
            return status.code()
        finally:
            channel.close()
        return grpc.StatusCode.OK

    def test_the_gateway_draws_the_same_bounds(self):
        face = world.listed[0]
        faults = [([value * 1.0011 for value in face], {}),
                  ([value * 0.9989 for value in face], {}), (face[:-1], {}),
                  ([float("nan")] + face[1:], {}), (face, {"camera": "x" * 65}),
                  (face, {"capture_ref": "x" * 129}), (face, {"capture_ref": "a\x7f"}),
                  (face, {"track": b"x" * 65})]
        for values, fields in faults:
            with self.subTest(fields=fields):
                self.assertEqual(self.raw(values, **fields), grpc.StatusCode.INVALID_ARGUMENT)
        for values, fields in [([value * 1.0009 for value in face], {}),
                               ([value * 0.9991 for value in face], {}),
                               (face, {"camera": "x" * 64, "capture_ref": "x" * 128,
                                       "track": b"x" * 64})]:
            with self.subTest(fields=fields):
                self.assertEqual(self.raw(values, **fields), grpc.StatusCode.OK)


class RefusalsTest(LiveTest):
    def refused(self, profile, deployment, code):
        with self.assertRaises(GatewayRefused) as caught:
            Watch(profile, deployment, self.heard.append).open()
        self.assertEqual(caught.exception.code, code)

    def test_a_deployment_that_is_not_there_or_another_engines_is_not_found(self):
        self.refused(engine(), "d-" + "a" * 26, "NOT_FOUND")
        council = world.council
        council.must("pki", "issue", "--dir", council.pki, "--engine", "other", "--listen",
                     council.listen("agency-port"))
        self.refused(Profile.load(council.pki / "engines/other.toml"),
                     world.deployments["direct"], "NOT_FOUND")

    def test_a_person_is_no_engine_and_an_engine_no_person(self):
        person = Profile.load(world.council.profile("operator"))
        self.refused(person, world.deployments["direct"], "PERMISSION_DENIED")
        with self.assertRaises(GatewayRefused) as caught:
            identify(engine(), search())
        self.assertEqual(caught.exception.code, "PERMISSION_DENIED")

    def test_what_is_not_the_own_gateway_gets_no_face(self):
        with self.assertRaisesRegex(CannotConnect, "shows spiffe://eastvale-council.example"):
            open_channel(replace(engine(), spiffe_id=world.police.spiffe_id))
        with self.assertRaisesRegex(CannotConnect, "not of the CA"):
            open_channel(replace(engine(), roots=world.police.pki / "ca/ca.pem"))

    def test_a_certificate_of_another_ca_is_told_from_a_gateway_that_is_not_there(self):
        stranger = Profile.load(world.police.engine_profile)
        with self.assertRaisesRegex(CannotConnect, "does not take the certificate|alert"):
            open_channel(replace(engine(), identity=stranger.identity))
        with self.assertRaisesRegex(CannotConnect, "refused"):
            open_channel(replace(engine(), gateway="127.0.0.1:1"))

    def test_a_revoked_engine_is_told_that_its_certificate_is_not_taken(self):
        council = world.council
        council.must("pki", "issue", "--dir", council.pki, "--engine", "stolen", "--listen",
                     council.listen("agency-port"))
        stolen = Profile.load(council.pki / "engines/stolen.toml")
        open_channel(stolen).close()
        council.run("pki", "revoke", "--dir", council.pki, "--certificate", stolen.identity,
                    "--reason", "key-compromise")

        def is_refused():
            try:
                open_channel(stolen).close()
            except CannotConnect as fault:
                return "does not take the certificate" in str(fault)
            return False

        self.assertTrue(until(is_refused))

    def test_a_profile_names_what_is_wrong_with_it(self):
        good = world.council.engine_profile.read_text("utf-8")
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "p.toml"
            for text, words in ((good.replace("roots", "rots"), "unknown key 'rots'"),
                                (good.replace("/gateway", "/engine/x"), "spiffe_id"),
                                (good.replace("127.0.0.1:", "127.0.0.1"), "gateway"),
                                ("gateway =", "not TOML"), ("", "gateway is missing")):
                file.write_text(text, "utf-8")
                with self.subTest(words), self.assertRaisesRegex(BadProfile, words):
                    Profile.load(file)
            file.write_text(good, "utf-8")  # its paths lead nowhere from here
            with self.assertRaisesRegex(BadProfile, "identity: .*No such file"):
                open_channel(Profile.load(file))

    def test_a_stop_is_an_answer_and_the_end_of_a_deployment_ends_the_watch(self):
        council, deployment = world.council, world.propose("direct")
        with Watch(engine(), deployment, self.heard.append) as watch:
            self.answered(watch, world.listed[0])
            stop = world.police.must("stop", "set", "watchlist", "lantern", "--reason", "a check",
                                     person="operator")
            refused = self.ask(watch, world.listed[0], "stopped")
            self.assertIsInstance(refused.outcome, Refused)
            self.assertEqual(refused.outcome.by, "northshire-police")
            lift = world.police.must("stop", "lift", stop["stop"], "--reason", "done",
                                     person="supervisor")
            world.police.approve("siro", lift)
            self.answered(watch, world.listed[0])
            council.must("deployment", "stop", deployment, "--reason", "over", person="operator")
            self.assertTrue(until(lambda: watch.ended is not None))
            self.assertEqual(watch.ended.code, "FAILED_PRECONDITION")
            with self.assertRaises(GatewayRefused):
                watch.send(Face(world.listed[0], "late", "north"))


class BrokenLineTest(LiveTest):
    def test_a_holder_that_stalls_holds_the_window_and_every_face_is_settled(self):
        with self.watch(window=4) as watch:
            self.answered(watch, world.listed[0])
            gateway = world.police.gateway
            gateway.send_signal(signal.SIGSTOP)
            try:
                taken = [watch.send(Face(world.listed[0], f"stalled-{at}", "north"), timeout=0.2)
                         for at in range(6)]
                self.assertEqual([number is None for number in taken],
                                 [False] * 4 + [True] * 2)
                self.assertTrue(watch.drain(PATIENCE))
                reasons = {self.heard.of(f"stalled-{at}")[0].outcome.reason for at in range(4)}
                self.assertLessEqual(reasons, {"deadline", "holder-unreachable"})
            finally:
                gateway.send_signal(signal.SIGCONT)
            self.assertIsNone(watch.ended)
            self.answered(watch, world.listed[0])

    def test_after_a_crash_of_the_gateway_the_watch_goes_on_and_no_face_goes_twice(self):
        class Recording(Watch):
            def _probes(watch, stream):
                for probe in super()._probes(stream):
                    went.append(probe.sequence)
                    yield probe

        went, strangers = [], documents.faces(400, seed=11)
        with Recording(engine(), world.deployments["direct"], self.heard.append,
                       give_up_after=PATIENCE) as watch:
            def send():
                for at, values in enumerate(strangers):
                    watch.send(Face(values, f"crash-{at}", "north"))

            sender = threading.Thread(target=send)
            sender.start()
            self.assertTrue(until(lambda: len(self.heard) >= 100))
            world.council.stop(signal.SIGKILL)
            world.council.start()
            sender.join()
            self.answered(watch, world.listed[0])
            self.assertTrue(watch.drain(PATIENCE))
        self.assertEqual(went, sorted(set(went)))
        self.assertEqual(set(self.heard.settled().values()), {1})
        for at in range(400):
            self.assertEqual(len(self.heard.of(f"crash-{at}")), 1)
        lost = {one.sequence for one in self.heard if one.outcome == Unanswered("stream-lost")}
        self.assertTrue(lost)
        self.assertLessEqual(lost, set(went))
        unsent = {one.sequence for one in self.heard if one.outcome == Unanswered("not-sent")}
        self.assertFalse(unsent & set(went))

    def test_a_gateway_that_falls_silent_costs_the_faces_under_way(self):
        with self.watch(answer_within=4.0, give_up_after=PATIENCE) as watch:
            self.answered(watch, world.listed[0])
            gateway = world.council.gateway
            gateway.send_signal(signal.SIGSTOP)
            try:
                watch.send(Face(world.listed[1], "silent", "north"))
                self.assertTrue(until(lambda: self.heard.of("silent")))
            finally:
                gateway.send_signal(signal.SIGCONT)
            self.assertEqual([one.outcome for one in self.heard.of("silent")],
                             [Unanswered("stream-lost")])
            self.answered(watch, world.listed[0])

    def test_a_watch_without_a_gateway_ends_and_says_so(self):
        with self.watch(give_up_after=0.5) as watch:
            self.answered(watch, world.listed[0])
            world.council.stop()
            try:
                self.assertTrue(until(lambda: watch.ended is not None))
                with self.assertRaises(CannotConnect):
                    watch.send(Face(world.listed[0], "nobody", "north"))
            finally:
                world.council.start()

    def test_a_closed_watch_takes_no_face(self):
        watch = self.watch()
        with self.assertRaises(RuntimeError):
            watch.send(Face(world.listed[0], "early", "north"))
        with watch:
            pass
        with self.assertRaises(RuntimeError):
            watch.send(Face(world.listed[0], "late", "north"))


def search(**other):
    terms = {"template": world.listed[2], "purpose": documents.PURPOSE, "case_ref": "C-7",
             "engine": f"{documents.ENGINE}/{documents.ENGINE_VERSION}/{documents.DIMENSION}",
             "threshold": documents.THRESHOLD, "categories": (documents.CATEGORY,),
             "aim": "identify", "subject": "suspect", "mode": "direct"}
    return Search(**{**terms, **other})


class IdentifyTest(unittest.TestCase):
    def identify(self, **other):
        return identify(Profile.load(world.council.profile("operator")), search(**other))

    def test_a_person_finds_who_is_listed(self):
        self.assertTrue(until(lambda: isinstance(
            self.identify().holders[0].outcome, Answered)))
        result = self.identify(offence=("TA68-8", 14))
        self.assertEqual([alert.reference for alert in result.holders[0].alerts], ["np-2"])
        self.assertEqual(result.holders[0].mode, "direct")
        self.assertIsNone(result.refused)

    def test_what_no_agreement_covers_is_refused_with_its_reason(self):
        result = self.identify(purpose="missing-person")
        outcomes = [one.outcome for one in result.holders] or [result.refused]
        self.assertEqual({outcome.code for outcome in outcomes}, {"purpose-not-covered"})


if __name__ == "__main__":
    unittest.main()
