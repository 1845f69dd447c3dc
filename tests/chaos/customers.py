"""Customers over HTTP, who do not give up: what is not answered, or with a 5xx, they ask again with
the same key, also at another edge. Each writes a journal. All that is random comes from a seed."""

import dataclasses
import http.client
import itertools
import random
import threading
import time

import paths  # noqa: F401
from journal import NO_ANSWER, Errand, Journal, Try, told_of
from log import partition_of
from theatre import Web

PARTITIONS = 4
PATIENCE_S = 90  # of one errand
ANSWER_S = 10  # of one HTTP request
LAST_PATIENCE_S = 5  # for a provider, when everybody goes home
CAPACITY = 150
ATTEMPTS = 3  # at paying for one reservation
PRICE = 500
OLD_SHOWS = 6  # that people still ask for when they are sold out
PAID_AT_LAST = ("confirmed", "held", "cancelled", "released", "expired")


def now_ms():
    return time.time() * 1000


class Playbill:
    """What is on: in each partition one show for nothing and one with a price, and the next one
    when it is sold out."""

    def __init__(self, name):
        self.name, self.numbers = name, itertools.count()
        self.lock = threading.Lock()
        self.current = {}  # (partition, priced) → show_id
        self.past = {}  # the same → sold out shows

    def next_id(self, partition):
        with self.lock:
            while True:
                show_id = f"{self.name}-{next(self.numbers)}"
                if partition_of(show_id.encode(), PARTITIONS) == partition:
                    return show_id

    def put_on(self, partition, priced, show_id):
        with self.lock:
            place = partition, priced
            if place in self.current:
                self.past.setdefault(place, []).append(self.current[place])
            self.current[place] = show_id

    def choose(self, rng, partition, priced):
        """The show that sells, sometimes one that has sold out."""
        with self.lock:
            old = self.past.get((partition, priced), [])[-OLD_SHOWS:]
            if old and rng.random() < 0.15:
                return rng.choice(old)
            return self.current[partition, priced]

    def is_current(self, partition, priced, show_id):
        with self.lock:
            return self.current.get((partition, priced)) == show_id


@dataclasses.dataclass
class Booking:
    show_id: str
    reservation_id: str
    secret: str
    priced: bool
    began_ms: float


class Customer(threading.Thread):
    """One after another they come to this window; `partition` is where their shows lie."""

    def __init__(self, crowd, number):
        super().__init__(daemon=True, name=f"customer-{number}")
        self.crowd, self.partition = crowd, number % PARTITIONS
        # Every other one a partition, so that never all of them wait for a provider.
        self.has_money = number // PARTITIONS % 2 == 1
        self.rng = random.Random(f"{crowd.seed}/{number}")
        self.edge = number  # whose turn it is
        self.trouble = None

    # ---- asking ----

    def new_key(self):
        return f"{self.rng.getrandbits(128):032x}"

    def ask(self, method, path, body=None, key=None, bearer=None):
        """One HTTP request at whichever edge is next; what came of it, and the whole answer."""
        edges = self.crowd.edges
        url = edges[self.edge % len(edges)]
        self.crowd.journal.count()
        began_ms = now_ms()
        try:
            answer = Web(url).call(method, path, body, key=key, bearer=bearer, seconds=ANSWER_S,
                                   headers={"Prefer": "wait=5"})
            return Try(url, began_ms, now_ms(), answer.status, told_of(answer.text)), answer
        except (OSError, http.client.HTTPException):
            return Try(url, began_ms, now_ms(), NO_ANSWER, {}), None

    def insist(self, errand, *request, **more):
        """Until there is a final answer; None after PATIENCE_S."""
        self.crowd.journal.begin(errand)
        give_up_at = time.monotonic() + PATIENCE_S
        for number in itertools.count():
            tried, answer = self.ask(*request, key=errand.key, **more)
            errand.tries.append(tried)
            if tried.is_final:
                self.ask_again_perhaps(errand, *request, **more)
                return answer
            if time.monotonic() > give_up_at:
                return None
            self.edge += 1
            time.sleep(min(0.02 * 2 ** number, 0.25))

    def ask_again_perhaps(self, errand, *request, **more):
        """A double click, or a browser's reload: the answer must be the same, wherever."""
        if self.rng.random() < 0.1:
            self.edge += 1
            tried, _ = self.ask(*request, key=errand.key, **more)
            tried.again = True
            errand.tries.append(tried)

    # ---- what they want ----

    def run(self):
        try:
            while not self.crowd.leaving.is_set():
                self.visit()
                self.crowd.leaving.wait(self.rng.uniform(0, 2 * self.crowd.pause_s))
        except Exception as error:  # pylint: disable=broad-except
            self.trouble = error
            raise

    def visit(self):
        priced = self.has_money and self.rng.random() < 0.8
        booking = self.reserve(self.crowd.playbill.choose(self.rng, self.partition, priced), priced)
        if booking is None:
            return
        mood = self.rng.random()
        if mood < 0.06:
            return  # lets the hold expire
        if mood < 0.16:
            self.cancel(booking)
        elif self.pay(booking) and self.rng.random() < 0.15:
            self.cancel(booking)

    def reserve(self, show_id, priced):
        """A Booking, or None: refused."""
        quantity = self.rng.randint(1, 4)
        errand = Errand("reserve", self.new_key(), show_id, quantity=quantity)
        # The name is the key, so that the log says whose reservation it is.
        answer = self.insist(errand, "POST", f"/v1/shows/{show_id}/reservations",
                             {"quantity": quantity, "name": errand.key})
        if errand.final is None or errand.final.status != 201:
            if errand.final and errand.final.told.get("code") in ("sold_out", "all_held"):
                self.crowd.sold_out(self, priced, show_id)
            return None
        return Booking(show_id, answer["reservation_id"], answer["secret"], priced,
                       errand.tries[0].at_ms)

    def pay(self, booking):
        """Whether it is confirmed in the end."""
        for _ in range(ATTEMPTS if booking.priced else 1):
            method = "external" if booking.priced else "none"
            body = {"method": method, **({"provider": "paydesk"} if booking.priced else {})}
            errand = Errand("checkout", self.new_key(), booking.show_id, booking.reservation_id,
                            method=method)
            self.insist(errand, "POST", f"/v1/reservations/{booking.reservation_id}/checkout",
                        body, bearer=booking.secret)
            if errand.final is None or errand.final.status != 201:
                return False
            if self.becomes_paid(booking) == "confirmed":
                self.crowd.journal.bought(booking.began_ms, now_ms(), booking.show_id,
                                          booking.priced)
                return True
        return False

    def becomes_paid(self, booking):
        """The status, once nothing more is awaited."""
        give_up_at = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up_at:
            status = self.look(booking)
            if status in PAID_AT_LAST:
                return status
            if self.crowd.leaving.is_set():
                give_up_at = min(give_up_at, time.monotonic() + LAST_PATIENCE_S)
            time.sleep(0.03)
        return None

    def look(self, booking):
        tried, _ = self.ask("GET", f"/v1/reservations/{booking.reservation_id}",
                            bearer=booking.secret)
        if not tried.succeeded:
            self.edge += 1
            return None
        status = tried.told.get("status")
        self.crowd.journal.look(tried.end_ms, booking.reservation_id, status)
        self.crowd.remember(booking)
        return status

    def cancel(self, booking):
        errand = Errand("cancel", self.new_key(), booking.show_id, booking.reservation_id)
        self.insist(errand, "DELETE", f"/v1/reservations/{booking.reservation_id}",
                    bearer=booking.secret)


class Crowd:
    """All customers of a night."""

    def __init__(self, name, edges, staff_key, seed, size=16, pause_s=0.4):
        self.edges, self.staff_key, self.seed, self.pause_s = edges, staff_key, seed, pause_s
        self.journal, self.playbill = Journal(), Playbill(name)
        self.leaving = threading.Event()
        self.creating = {}  # (partition, priced) → lock: one of them makes the next show
        self.bookings = {}  # by reservation_id, of those that were looked at
        self.customers = [Customer(self, number) for number in range(size)]
        for partition in range(PARTITIONS):
            for priced in (False, True):
                self.creating[partition, priced] = threading.Lock()
                self.put_on(self.customers[partition], priced)

    def start(self):
        for customer in self.customers:
            customer.start()

    def leave(self, seconds=PATIENCE_S + 30):
        """Nobody wants anything new; who is waiting is still served."""
        self.leaving.set()
        for customer in self.customers:
            customer.join(seconds)
        return [f"{customer.name}: {customer.trouble or 'still waits'}"
                for customer in self.customers if customer.is_alive() or customer.trouble]

    def remember(self, booking):
        self.bookings[booking.reservation_id] = booking

    def sold_out(self, customer, priced, show_id):
        with self.creating[customer.partition, priced]:
            if self.playbill.is_current(customer.partition, priced, show_id):
                self.put_on(customer, priced)

    def put_on(self, customer, priced):
        show_id = self.playbill.next_id(customer.partition)
        self.create(customer, show_id, PRICE * priced)
        self.playbill.put_on(customer.partition, priced, show_id)

    def put_on_for_a_storm(self, show_id):
        """A show that is not on the playbill: only the storm knows of it."""
        self.create(Customer(self, len(self.customers)), show_id, 0)

    def create(self, customer, show_id, price):
        tiers = [{"tier_id": "stalls", "name": "Stalls", "amount_minor": price}]
        show = {"show_id": show_id, "name": f"the {show_id} show", "capacity": CAPACITY,
                "starts_at": "2036-01-01T20:00:00.000Z", "currency": "EUR", "tiers": tiers,
                "hold_ttl_s": 60, "pay_window_s": 60}
        errand = Errand("create", customer.new_key(), show_id)
        customer.insist(errand, "POST", "/v1/shows", show, bearer=self.staff_key)
        assert errand.final and errand.final.succeeded, errand

    def sold_lately(self, within_ms):
        """Whether anybody has bought within the last so many milliseconds."""
        with self.journal.lock:
            last = self.journal.purchases[-1:]
        return any(ended_ms > now_ms() - within_ms for _, ended_ms, _, _ in last)

    def sold_since(self, at_ms, priced=None):
        """The partitions where somebody came after at_ms and has bought."""
        with self.journal.lock:
            recent = list(itertools.takewhile(lambda row: row[1] > at_ms,
                                              reversed(self.journal.purchases)))
        return {partition_of(show_id.encode(), PARTITIONS)
                for began_ms, _, show_id, had_price in recent
                if began_ms > at_ms and priced in (None, had_price)}
