"""How long it took, read from the log and from the customers' journal when all is over.

    claims    kill and takeover: until in each partition of the dead one a successor's word counts
    sales     until somebody bought in each partition again, from when the log was there again
    edge      until that edge answered somebody who asked it after it had died
    money     until a payment asked for afterwards was reported
    pause     the longest time in which nobody bought in one of the partitions, by the customers'
              clock: the log's may have been set"""

import itertools

import paths  # noqa: F401
from customers import PARTITIONS
from incidents import CLAIMS, EDGE, MONEY, PAUSE, SALES
from log import ACCEPTED, CLAIM, partition_of


class Timeline:
    """What happened when; `records` are judged."""

    def __init__(self, records, journal):
        self.claims = {}  # (service, partition) → [(time, instance)]
        self.words = {}  # the same → [(time, number of its claim)]
        self.sales = {partition: [] for partition in range(PARTITIONS)}
        self.asked, self.reported = {}, {}  # payment_id → time
        for record in records:
            if record.verdict == CLAIM:
                self.place(self.claims, record).append((record.time_ms, record.body()["instance"]))
            elif record.verdict == ACCEPTED:
                self.hear(record)
            elif record.type == "RecordPayment":
                self.reported.setdefault(record.body().get("payment_id"), record.time_ms)
        self.bought = {partition: [] for partition in range(PARTITIONS)}  # as customers saw it
        for _, ended_ms, show_id, _ in journal.purchases:
            self.bought[partition_of(show_id.encode(), PARTITIONS)].append(ended_ms)
        self.errands = [errand for errand in journal.errands if errand.final]
        self.tries = [tried for errand in journal.errands for tried in errand.tries]

    @staticmethod
    def place(table, record):
        return table.setdefault((record.topic.split(".")[0], record.partition), [])

    def hear(self, record):
        claims = self.place(self.claims, record)
        self.place(self.words, record).append((record.time_ms, len(claims) - 1))
        if record.type == "SeatsSold":
            self.sales[record.partition].append(record.time_ms)
        elif record.type == "PaymentRequested":
            self.asked[record.body()["payment_id"]] = record.time_ms

    # ---- one way each; None: it never happened ----

    def first_word(self, incident, partition):
        """Of a successor of whoever had the partition then; 0: it was not the dead one's."""
        claims = self.claims[incident.service, partition]
        before = [instance for at_ms, instance in claims if at_ms <= incident.at_ms]
        if incident.instance and before[-1:] != [incident.instance]:
            return 0
        return next((at_ms - incident.healed_ms
                     for at_ms, claim in self.words[incident.service, partition]
                     if claim >= len(before)), None)

    def by_claims(self, incident):
        return latest(self.first_word(incident, partition) for partition in range(PARTITIONS))

    def by_sales(self, incident):
        return latest(next((at_ms - incident.healed_ms for at_ms in self.sales[partition]
                            if at_ms >= incident.healed_ms), None)
                      for partition in range(PARTITIONS))

    def by_edge(self, incident):
        return min((tried.end_ms - incident.healed_ms for tried in self.tries
                    if tried.edge == incident.instance and tried.succeeded
                    and tried.at_ms >= incident.at_ms), default=None)

    def by_money(self, incident):
        return min((reported_ms - incident.healed_ms
                    for payment_id, reported_ms in self.reported.items()
                    if self.asked.get(payment_id, 0) >= incident.at_ms), default=None)

    def by_pause(self, incident):
        return latest(self.longest_pause(sorted(self.bought[partition]), incident)
                      for partition in range(PARTITIONS))

    @staticmethod
    def longest_pause(times, incident):
        """Between two sales, as far as it lies behind the beginning; until one behind the end."""
        times = [incident.at_ms, *(at_ms for at_ms in times if at_ms > incident.at_ms)]
        gaps = [after - before for before, after in itertools.pairwise(times)
                if before <= incident.healed_ms]
        return max(gaps) if times[-1] > incident.healed_ms else None

    def measure(self, incident, how):
        ways = {CLAIMS: self.by_claims, SALES: self.by_sales, EDGE: self.by_edge,
                MONEY: self.by_money, PAUSE: self.by_pause}
        incident.recovery_ms = ways[how](incident)
        over_ms = incident.healed_ms + (incident.recovery_ms or 0)
        incident.customer_ms = max(
            (errand.pause_ms for errand in self.errands
             if errand.tries[0].at_ms <= over_ms and errand.final.end_ms >= incident.at_ms),
            default=0)


def latest(times):
    """The largest, or None as soon as one is missing."""
    times = list(times)
    return None if None in times else max(times)


def percentile(values, share):
    """The nearest rank; None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
