# SPDX-License-Identifier: Apache-2.0
import unittest
from datetime import datetime, timedelta, timezone

from comity_engine import Answer, Answered, Unanswered
from comity_engine.ledger import Ledger

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=timezone.utc)
HOLDERS = ("north", "south")


def add(ledger, captured_at=NOW):
    return ledger.add(HOLDERS, capture_ref="c", camera="k", track=b"", captured_at=captured_at,
                      octets=b"1234")


def answer(sequence, holder):
    return Answer(sequence, "c", holder, Answered((), 5))


def reasons(answers):
    return [(one.sequence, one.holder, one.outcome.reason) for one in answers]


class LedgerTest(unittest.TestCase):
    def setUp(self):
        self.ledger = Ledger(window=2)

    def take(self, now=NOW, holders=HOLDERS):
        return self.ledger.take(holders, now, 1.0)

    def test_sequence_numbers_rise_by_one(self):
        self.assertEqual([add(self.ledger) for _ in range(3)], [1, 2, 3])

    def test_each_holder_settles_a_face_once(self):
        add(self.ledger)
        self.take()
        self.assertTrue(self.ledger.settle(answer(1, "north")))
        self.assertFalse(self.ledger.settle(answer(1, "north")))
        self.assertFalse(self.ledger.settle(answer(1, "elsewhere")))
        self.assertFalse(self.ledger.is_empty())
        self.assertTrue(self.ledger.settle(answer(1, "south")))
        self.assertTrue(self.ledger.is_empty())
        self.assertFalse(self.ledger.settle(answer(1, "south")))

    def test_the_fastest_holder_makes_room(self):
        add(self.ledger)
        add(self.ledger)
        self.assertFalse(self.ledger.has_room())
        self.take()
        self.assertFalse(self.ledger.has_room())
        self.ledger.settle(answer(1, "south"))
        self.assertTrue(self.ledger.has_room())
        self.ledger.settle(answer(1, "north"))  # makes no second room
        add(self.ledger)
        self.assertFalse(self.ledger.has_room())

    def test_what_had_gone_is_lost_and_what_waits_stays(self):
        add(self.ledger)
        add(self.ledger)
        self.take()
        self.ledger.settle(answer(1, "north"))
        self.assertEqual(reasons(self.ledger.lose()), [(1, "south", "stream-lost")])
        self.assertEqual(self.ledger.lose(), [])
        self.assertFalse(self.ledger.settle(answer(1, "south")))
        entry, _ = self.take()
        self.assertEqual(entry.sequence, 2)

    def test_a_face_goes_to_the_holders_of_the_stream_that_takes_it(self):
        add(self.ledger)
        self.take(holders=("west",))
        self.assertEqual(reasons(self.ledger.lose()), [(1, "west", "stream-lost")])

    def test_a_face_that_nobody_is_asked_about_is_settled_when_it_goes(self):
        add(self.ledger)
        add(self.ledger)
        self.take(holders=())
        self.take(holders=())
        self.assertTrue(self.ledger.is_empty())
        self.assertTrue(self.ledger.has_room())

    def test_a_face_older_than_30_seconds_does_not_go(self):
        add(self.ledger, NOW - timedelta(seconds=31))
        add(self.ledger, NOW - timedelta(seconds=30))
        entry, expired = self.take()
        self.assertEqual(entry.sequence, 2)
        self.assertEqual(reasons(expired), [(1, "north", "not-sent"), (1, "south", "not-sent")])
        self.assertFalse(self.ledger.has_waiting())

    def test_dropping_settles_what_waits_and_makes_room(self):
        add(self.ledger)
        add(self.ledger)
        self.assertEqual(len(self.ledger.drop()), 4)
        self.assertTrue(self.ledger.is_empty())
        self.assertTrue(self.ledger.has_room())

    def test_the_oldest_that_has_gone_is_the_first_unsettled_one(self):
        self.assertIsNone(self.ledger.oldest())
        for monotonic in (5.0, 6.0):
            add(self.ledger)
            self.ledger.take(HOLDERS, NOW, monotonic)
        self.assertEqual(self.ledger.oldest(), 5.0)
        for holder in HOLDERS:
            self.ledger.settle(answer(1, holder))
        self.assertEqual(self.ledger.oldest(), 6.0)

    def test_an_outcome_without_alerts_has_none(self):
        self.assertEqual(Answer(1, "c", "north", Unanswered("deadline")).alerts, ())


if __name__ == "__main__":
    unittest.main()
