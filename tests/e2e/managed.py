"""A house that runs without a terminal, and what one says to its stage manager."""

import json
import re

from theatre import Web


class Managed:
    """A house that runs without a terminal."""

    def __init__(self, house):
        self.house = house

    def say(self, *words, end=0, seconds=60):
        """stagedoor WORDS of this house; what it printed. `end`: its exit code, or a tuple of
        those it may have."""
        done = self.house.run(*words, "--data", self.house.data, seconds=seconds)
        right = end if isinstance(end, tuple) else (end,)
        assert done.returncode in right, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def up(self, *more):
        said = self.say("up", "-d", *self.house.bus.arguments, "--listen", "127.0.0.1:0", *more)
        return self.web(said)

    def web(self, said):
        url = re.search(r"^open: (http://\S+)", said, re.M)[1]
        return Web(url, (self.house.data / "signin").read_text().strip())

    def ls(self, *who):
        """{name: what is known of it}"""
        lines = self.say("ls", "--json", *who).splitlines()
        return {process["name"]: process for process in map(json.loads, lines)}

    def down(self):
        self.say("down")
        return not (self.house.data / "control").exists()

    def close(self):
        """With what everyone said: pytest shows it when the test failed."""
        if (self.house.data / "control").exists():
            print(self.house.run("logs", "-n", "200", "--data", self.house.data).stdout)
            self.house.run("down", "--data", self.house.data)
