"""Probes and actions of the corpus: small functions whose outcome says what they were called with."""

import datetime
import decimal
import hashlib
import math
import os
import time
import uuid


def answer(value=None):
    """What it is given."""
    return value


def typed(**values):
    """The name of each value's type, and the value."""
    return {name: [type(value).__name__, value] for name, value in values.items()}


def required(first, second=2):
    return [first, second]


def nothing():
    pass


def trace(text="here"):
    """Leaves a mark that stays even if the journal is lost."""
    with open("trace", "a", encoding="utf-8") as file:
        file.write(f"{text}\n")
    return text


def untouched():
    """Whether nothing has left a mark yet."""
    return not os.path.exists("trace")


def fail_if_touched():
    if not untouched():
        raise ValueError("touched")
    return True


def null_if_touched():
    return 5 if untouched() else None


def fail(text="it broke"):
    raise ValueError(text)


def fail_without_words():
    raise RuntimeError()


def divide(by=0):
    return 1 / by


def interrupt(text="stop now"):
    from chaoslib.exceptions import InterruptExecution

    raise InterruptExecution(text)


def activity_failed(text="no such thing"):
    from chaoslib.exceptions import ActivityFailed

    raise ActivityFailed(text)


def leave(code=None):
    raise SystemExit(code)


def leave_gracefully():
    from chaoslib.exit import exit_gracefully

    exit_gracefully()
    time.sleep(5)


def leave_ungracefully():
    from chaoslib.exit import exit_ungracefully

    exit_ungracefully()
    time.sleep(5)


def nap(seconds=0.2, text=None):
    time.sleep(seconds)
    return trace(text) if text else seconds


def digest(secrets=None, keys=()):
    """Tells what secrets it was given without telling them."""
    if secrets is None:
        return None
    told = {key: summary(value) for key, value in secrets.items()}
    return [told, [key in secrets for key in keys]]


def summary(value):
    """Says which value it was given, and not the value."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]


def needs_secrets(secrets):
    return sorted(secrets)


def settings(configuration=None):
    """All of the configuration, in its order."""
    return configuration


def needs_configuration(configuration, name):
    return configuration.get(name)


def both(configuration, secrets=None):
    return [sorted(configuration), sorted(secrets or [])]


def same(value, other):
    """A tolerance: whether the two are equal."""
    return value == other


def below(limit, value=None):
    """A tolerance whose value need not be declared."""
    return value < limit


def truth(value):
    """A tolerance that passes on what it is given."""
    return value


def refuse(value=None):
    """A tolerance that fails."""
    raise ValueError("cannot say")


def odd_values():
    return {
        "tuple": (1, (2, 3)),
        "date": datetime.date(2026, 1, 2),
        "time": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
        "plain time": datetime.datetime(2026, 1, 2, 3, 4, 5, 600),
        "decimal": decimal.Decimal("1.50"),
        "uuid": uuid.UUID(int=5),
        1: "one",
        None: "none",
        True: "true",
        1.5: "more",
    }


def numbers():
    return [0, 0.0, -0.0, 1e16, 1e-7, 1.0, 2.5, 2**80, -3, 1e300, 0.1 + 0.2]


def texts():
    return ["", "ä€😀", "tab\tline\nquote\"back\\slash", "\u0000\u001f\u007f\u2028"]


def not_a_number():
    return [math.nan, math.inf, -math.inf]


def some_bytes():
    return b"raw"


def some_set():
    return {1}


def some_object():
    return object()


class Thing:
    """Not a function, though it can be called."""

    def __init__(self, value=1):
        self.value = value


class Table(dict):
    """Can be called, and can be written down."""

    def __init__(self, **values):
        super().__init__(values)


imported = time.sleep
word = "no function"
