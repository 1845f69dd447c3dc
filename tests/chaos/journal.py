"""What customers asked, under which key, what they were told, and when: one errand for each thing
they wanted, with every try at it. At the end the log has to agree (check_journal.py)."""

import dataclasses
import json
import threading

NO_ANSWER = 0
# Nothing was decided: the same key may be tried again, also on another edge. A show that is not
# found was created on the other edge a moment ago.
NOT_FINAL = {NO_ANSWER, 202, 404, 408, 429, 500, 502, 503, 504}
TOLD = ("reservation_id", "show_id", "payment_id", "status", "code", "quantity")


@dataclasses.dataclass
class Try:
    edge: str
    at_ms: float
    end_ms: float
    status: int  # NO_ANSWER: none came
    told: dict  # what counts of the answer
    again: bool = False  # asked for a second time after the final answer

    @property
    def is_final(self):
        return self.status not in NOT_FINAL

    @property
    def succeeded(self):
        return self.status in (200, 201)

    @property
    def verdict(self):
        """What must never differ between two final answers to one key."""
        if not self.succeeded:
            return self.status, self.told.get("code")
        return "yes", self.told.get("payment_id") or self.told.get("reservation_id")


@dataclasses.dataclass
class Errand:
    what: str  # create, reserve, checkout, cancel
    key: str
    show_id: str
    reservation_id: str = ""  # of checkout and cancel
    quantity: int = 0
    method: str = ""
    tries: list = dataclasses.field(default_factory=list)

    @property
    def finals(self):
        return [tried for tried in self.tries if tried.is_final]

    @property
    def final(self):
        return next(iter(self.finals), None)

    @property
    def pause_ms(self):
        """What the customer waited, from the first try to the answer; of the answered."""
        return self.final.end_ms - self.tries[0].at_ms


def told_of(text):
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(answer, dict):
        return {}
    told = {name: answer[name] for name in TOLD if name in answer}
    payment = answer.get("payment")
    if "payment_id" not in told and isinstance(payment, dict) and "payment_id" in payment:
        told["payment_id"] = payment["payment_id"]
    return told


class Journal:
    """Of all customers; written by many threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.errands = []
        self.looks = []  # (at_ms, reservation_id, status) that were read
        self.purchases = []  # (began_ms, ended_ms, show_id, has a price): reserved and confirmed
        self.storms = []  # of thousands at once: rows of stagedoor bench --journal
        self.requests = 0  # HTTP requests of every kind

    def begin(self, errand):
        with self.lock:
            self.errands.append(errand)
        return errand

    def count(self):
        with self.lock:
            self.requests += 1

    def look(self, at_ms, reservation_id, status):
        with self.lock:
            self.looks.append((at_ms, reservation_id, status))

    def bought(self, began_ms, ended_ms, show_id, priced):
        with self.lock:
            self.purchases.append((began_ms, ended_ms, show_id, priced))

    def read_storm(self, path):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        with self.lock:
            self.storms += rows
            self.requests += sum(1 + row["retries"] for row in rows)

    def of(self, what):
        with self.lock:
            return [errand for errand in self.errands if errand.what == what]

    def write(self, path):
        with self.lock, path.open("w") as file:
            for errand in self.errands:
                file.write(json.dumps(dataclasses.asdict(errand)) + "\n")
