# SPDX-License-Identifier: Apache-2.0
import array
import math
import struct
import unittest
from datetime import datetime, timedelta, timezone

from comity_engine import BadFace, BadSearch, Search, check_template
from comity_engine.face import check_label, check_time, check_track
from comity_engine.identify import build_request

UNIT = [1.0] + [0.0] * 31
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=timezone.utc)


class TemplateTest(unittest.TestCase):
    def refuse(self, values, place, words):
        with self.assertRaises(BadFace) as caught:
            check_template(values, 32)
        self.assertEqual(caught.exception.place, place)
        self.assertIn(words, str(caught.exception))

    def test_lists_arrays_and_octets_cross_alike(self):
        wanted = struct.pack("<32f", *UNIT)
        for values in (UNIT, tuple(UNIT), array.array("f", UNIT), array.array("d", UNIT), wanted,
                       bytearray(wanted), memoryview(array.array("f", UNIT))):
            self.assertEqual(check_template(values, 32), wanted)

    def test_a_row_of_a_numpy_array_crosses_alike(self):
        try:
            import numpy
        except ImportError:
            self.skipTest("python3-numpy is not installed")
        for kind in (numpy.float32, numpy.float64):
            rows = numpy.zeros((2, 32), kind)
            rows[1, 0] = 1
            self.assertEqual(check_template(rows[1], 32), struct.pack("<32f", *UNIT))
            self.assertEqual(check_template(rows.T[::-1].T[1][::-1], 32),
                             struct.pack("<32f", *UNIT))
        with self.assertRaises(BadFace):
            check_template(rows, 32)

    def test_another_dimension_is_named_with_both_numbers(self):
        self.refuse(UNIT[:31], "template", "(31 float32); the engine profile has 32")
        self.refuse(b"\0" * 127, "template", "127 octets")

    def test_the_element_that_is_not_finite_is_named(self):
        for value in (math.nan, math.inf, -math.inf):
            self.refuse(UNIT[:17] + [value] + UNIT[18:], "template[17]", "not a finite number")

    def test_the_element_that_does_not_fit_is_named(self):
        self.refuse(UNIT[:3] + [1e39] + UNIT[4:], "template[3]", "does not fit")

    def test_the_norm_is_told(self):
        self.refuse([0.998] + UNIT[1:], "template", "0.998")
        self.refuse([1.002] + UNIT[1:], "template", "1.002")
        self.refuse([0.0] * 32, "template", "scale it to unit length")
        check_template([0.9991] + UNIT[1:], 32)
        check_template([1.0009] + UNIT[1:], 32)

    def test_what_is_no_row_of_numbers_is_refused(self):
        for values in (None, 7, ["a"] * 32, [[1.0] * 32]):
            self.refuse(values, "template", "numbers")


class LabelTest(unittest.TestCase):
    def test_bounds_are_in_octets_of_utf_8(self):
        self.assertEqual(check_label("camera", "é" * 32, 64), "é" * 32)
        for text in ("", "é" * 33, "x" * 65):
            with self.assertRaises(BadFace):
                check_label("camera", text, 64)

    def test_a_control_character_is_named_by_its_place(self):
        with self.assertRaises(BadFace) as caught:
            check_label("capture_ref", "ab\n", 128)
        self.assertEqual(caught.exception.place, "capture_ref[2]")

    def test_other_types_and_broken_text_are_refused(self):
        for text in (b"x", 5, None, "\ud800"):
            with self.assertRaises(BadFace):
                check_label("camera", text, 64)

    def test_a_track_has_at_most_64_octets(self):
        self.assertEqual(check_track("t1"), b"t1")
        self.assertEqual(check_track(b"\0" * 64), b"\0" * 64)
        for track in (b"\0" * 65, 5, None):
            with self.assertRaises(BadFace):
                check_track(track)

    def test_a_time_needs_its_zone_and_may_not_lie_far_ahead(self):
        self.assertEqual(check_time(None, NOW), NOW)
        berlin = NOW.astimezone(timezone(timedelta(hours=1)))
        self.assertEqual(check_time(berlin, NOW).utcoffset(), timedelta(0))
        check_time(NOW + timedelta(seconds=60), NOW)
        for moment in (NOW.replace(tzinfo=None), NOW + timedelta(seconds=61), 17):
            with self.assertRaises(BadFace):
                check_time(moment, NOW)


class SearchTest(unittest.TestCase):
    GOOD = {"template": UNIT, "engine": "facenet/2018/32", "purpose": "court-order-arrest",
            "case_ref": "C-1", "threshold": 0.6, "categories": ("wanted-by-courts",),
            "aim": "identify", "subject": "suspect"}

    def test_a_search_crosses_as_it_was_said(self):
        request = build_request(Search(**self.GOOD, offence=("TA68-8", 14), mode="sealed"))
        self.assertEqual(request.engine.dimension, 32)
        self.assertEqual(request.offence.max_penalty_years, 14)
        self.assertEqual(list(request.list_categories), ["wanted-by-courts"])
        self.assertEqual(len(request.embedding), 128)

    def test_a_fault_names_its_field(self):
        faults = {"template": UNIT[:31], "engine": "facenet", "case_ref": "", "threshold": 0.0,
                  "categories": (), "aim": "look", "subject": "person", "mode": "open",
                  "deadline_ms": 99, "holders": ("a", "a"), "agreements": ["x"] * 33}
        for field, value in faults.items():
            with self.subTest(field), self.assertRaises(BadSearch) as caught:
                build_request(Search(**{**self.GOOD, field: value}))
            self.assertEqual(caught.exception.place, field)


if __name__ == "__main__":
    unittest.main()
