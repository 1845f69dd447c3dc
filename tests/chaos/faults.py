"""What the proxy does to what passes: a fault says whom it hits and how often, and counts."""

import collections


class Fault:
    """`name` is what it is counted under. It hits frames of `kind` (None: all) of clients whose name
    begins with `client`, on the way of `direction`: `times` of them, or each with `chance`, or all;
    until it is healed. The fields are the proxy's own thread's to change, anybody's to read."""

    def __init__(self, proxy, name, *, kind=None, direction=None, client="", times=None,
                 chance=None):
        self.proxy, self.name = proxy, name
        self.kind, self.direction, self.client = kind, direction, client
        self.times, self.chance = times, chance
        self.healed = False
        self.by_kind = collections.Counter()

    def __repr__(self):
        return f"<{self.name} of {self.kind or 'all'}, fired {self.fired}>"

    @property
    def fired(self):
        return sum(self.by_kind.values())

    def heal(self):
        self.proxy.heal(self)

    def count(self, kind):
        self.by_kind[kind] += 1
        self.proxy.fired[self.name][kind] += 1

    def concerns(self, client):
        return client.startswith(self.client)

    def takes(self, frame, direction):
        """Whether it hits this frame; if so it has."""
        if (self.healed or self.direction != direction or self.kind not in (None, frame.kind)
                or not self.concerns(frame.client)):
            return False
        if self.times is not None and self.fired >= self.times:
            return False
        if self.chance is not None and self.proxy.random.random() >= self.chance:
            return False
        self.count(frame.kind)
        return True

    # ---- what becomes of a frame that is hit; of one that is not, nothing ----

    def delay_s(self):
        return 0.0

    def passes(self, size):
        """How many of its bytes go on."""
        return size

    def cuts(self):
        return False


class Swallow(Fault):
    def passes(self, size):
        return 0


class Delay(Fault):
    def __init__(self, proxy, name, milliseconds, **whom):
        super().__init__(proxy, name, **whom)
        self.milliseconds = milliseconds

    def delay_s(self):
        return self.milliseconds / 1000


class Cut(Fault):
    PARTS = {"before": 0.0, "within": 0.5, "after": 1.0}

    def __init__(self, proxy, name, where, **whom):
        super().__init__(proxy, name, **whom)
        self.part = self.PARTS[where]

    def passes(self, size):
        return int(size * self.part)

    def cuts(self):
        return True


class Freeze(Fault):
    """Whole connections stand still."""


class Throttle(Fault):
    """Whole connections are slow, `rate` in bytes a second and direction."""

    def __init__(self, proxy, name, rate, **whom):
        super().__init__(proxy, name, **whom)
        self.rate = rate


class Refuse(Fault):
    """New connections end at once."""
