# Runs the Python activities of one run. The engine starts it by `python3 -c`, writes requests as lines of JSON to its
# standard input and reads answers as lines of JSON from its standard output. It needs Python 3.8 and nothing else.
import sys

if sys.version_info < (3, 8):
    sys.exit("Python 3.8 or newer is needed, and this is %d.%d" % sys.version_info[:2])

import importlib
import inspect
import json
import logging
import os
import queue
import signal
import threading
import time
import traceback

# The most bytes of an answer that the engine reads, and of a message.
LONGEST = 16 << 20
LONGEST_TEXT = 64 << 10
LONGEST_LINE = 8 << 10
# Lists and mappings within each other, beyond which a value is shown as text.
DEEPEST = 100
# How long what runs may take to end after the engine has gone.
GRACE = 2.0
LARGE = "what it returned is larger than the %d bytes that are kept" % LONGEST


class Broken(Exception):
    """A call that cannot be made at all."""


class TooLarge(Exception):
    """A value beyond what an answer may hold."""


class State:
    """What runs at the moment. Signal handlers read it, and they run between any two steps of the main thread."""

    current = None
    cancelling = None
    cancelled = set()
    threads = {}


requests = queue.SimpleQueue()
answers = queue.SimpleQueue()


class Plain:
    """Makes values that JSON can hold: what it cannot becomes a text."""

    def __init__(self):
        self.left = LONGEST

    def spend(self, amount):
        self.left -= amount
        if self.left < 0:
            raise TooLarge()

    def text(self, text):
        text = str.__str__(text)
        self.spend(len(text) + 2)
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            # Half of a surrogate pair is no text for anybody else.
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return text

    def shown(self, value):
        try:
            return self.text(repr(value))
        except TooLarge:
            raise
        except Exception:
            return self.text("<%s>" % type(value).__name__)

    def key(self, key):
        if isinstance(key, str):
            return self.text(key)
        if key is None or key is True or key is False:
            return {None: "null", True: "true", False: "false"}[key]
        if isinstance(key, int):
            return self.shown(int.__int__(key))
        if isinstance(key, float):
            return self.shown(float.__float__(key))
        return self.shown(key)

    def value(self, value, depth=0):
        # About what a value without any text takes, with what separates it.
        self.spend(4)
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int):
            value = int.__int__(value)
            # Beyond this the other side would have to make it inexact.
            return value if -(1 << 63) <= value < 1 << 64 else self.shown(value)
        if isinstance(value, float):
            value = float.__float__(value)
            return value if value - value == 0.0 else self.shown(value)
        if isinstance(value, (list, tuple)) and depth < DEEPEST:
            return [self.value(item, depth + 1) for item in list(value)]
        if isinstance(value, dict) and depth < DEEPEST:
            return {self.key(key): self.value(item, depth + 1) for key, item in list(value.items())}
        if isinstance(value, (bytes, bytearray)):
            if len(value) > self.left:
                raise TooLarge()
            return self.text(bytes(value).decode("utf-8", "replace"))
        if is_of(value, "datetime", "date"):
            return self.text(value.isoformat())
        if is_of(value, "decimal", "Decimal") or is_of(value, "uuid", "UUID"):
            return self.text(str(value))
        return self.shown(value)


def is_of(value, module, name):
    """Whether a value is of a type whose module nobody but the value's maker need have loaded."""
    module = sys.modules.get(module)
    kind = getattr(module, name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def plain(value):
    try:
        return Plain().value(value)
    except TooLarge:
        raise
    except Exception:
        # A value that fails where it is looked at.
        return Plain().shown(value)


def words(error):
    """The type and the text of an exception, in a line."""
    return traceback.format_exception_only(type(error), error)[0].strip()[:LONGEST_TEXT]


def why(error):
    """The same, also for an error in a module's text, whose first line says only where it is."""
    return "%s: %s" % (type(error).__name__, error) if isinstance(error, SyntaxError) else words(error)


def failed(error):
    message = words(error)
    # The first frame is the one below in this file.
    after = error.__traceback__.tb_next if error.__traceback__ else None
    lines = traceback.format_exception(type(error), error, after)
    if not lines[0].startswith("Traceback"):
        lines.insert(0, "Traceback (most recent call last):\n")
    if len(lines) > 400:
        lines = lines[:100] + ["  [%d lines are left out]\n" % (len(lines) - 400)] + lines[-300:]
    lines.append("\nDuring handling of the above exception, another exception occurred:\n\n")
    lines.append("chaoslib.exceptions.ActivityFailed: %s\n" % message)
    return {"failed": {"message": plain(message), "lines": plain([line[:LONGEST_LINE] for line in lines])}}


def too_large():
    return {"failed": {"message": LARGE, "lines": ["chaoslib.exceptions.ActivityFailed: %s\n" % LARGE]}}


def find(request):
    """The function that is asked for, which may be anything that can be called."""
    module, name = request["module"], request["func"]
    try:
        found = importlib.import_module(module)
    except Exception as error:
        raise Broken("the module `%s` cannot be imported: %s" % (module, why(error)))
    try:
        return getattr(found, name)
    except Exception as error:
        raise Broken("the module `%s` has no `%s`: %s" % (module, name, words(error)))


def parameters(function):
    """The parameters of a function, or none where Python itself cannot tell them."""
    try:
        return inspect.signature(function).parameters
    except ValueError:
        return None
    except Exception as error:
        raise Broken("the parameters of `%s` cannot be told: %s" % (function, words(error)))


def call(request):
    function = find(request)
    takes = parameters(function) or {}
    given = request["arguments"]
    if request["secrets"] is not None and "secrets" in takes:
        given["secrets"] = request["secrets"]
    if "configuration" in takes:
        given["configuration"] = request["configuration"]
    try:
        returned = function(*request["unnamed"], **given)
    except Exception as error:
        return failed(error)
    try:
        return {"returned": plain(returned)}
    except TooLarge:
        return too_large()


def check(request):
    """What is wrong with a call, as far as can be told without making it."""
    name = "%s.%s" % (request["module"], request["func"])
    try:
        found = importlib.import_module(request["module"])
    except (Exception, SystemExit) as error:
        what = "the module `%s` cannot be imported: %s" % (request["module"], why(error))
        missing = isinstance(error, ModuleNotFoundError)
        return {"returned": {"at": "module", "what": plain(what), "missing": missing}}
    try:
        function = getattr(found, request["func"])
    except Exception:
        what = "the module `%s` has no function `%s`" % (request["module"], request["func"])
        return {"returned": {"at": "func", "what": what}}
    if not (inspect.isfunction(function) or inspect.isbuiltin(function)):
        kind = "a class" if inspect.isclass(function) else "of the type `%s`" % type(function).__name__
        what = "`%s` is %s, and not a function" % (name, kind)
        return {"returned": {"at": "func", "what": what}}
    try:
        takes = parameters(function)
    except Broken as error:
        return {"returned": {"at": "func", "what": plain(str(error))}}
    given, problem = request["arguments"], {}
    what = misfit(name, takes, given) if takes is not None else None
    if takes is None and given:
        problem = {"at": "arguments", "unsure": True, "what": "Python does not tell what `%s` takes" % name}
    elif what:
        problem = {"at": "arguments", "what": what}
    elif takes is not None and "secrets" in takes and "secrets" not in given and not request["secrets"]:
        if takes["secrets"].default is inspect.Parameter.empty:
            problem = {"at": "secrets", "unsure": True, "what": "`%s` needs `secrets`, and no scope is listed" % name}
    return {"returned": problem}


def misfit(name, takes, given):
    """Why arguments that are given by name do not fit, if they do not."""
    kinds, wrong = inspect.Parameter, []
    own = ("secrets", "configuration")
    known = [one.name for one in takes.values() if one.kind != kinds.VAR_POSITIONAL]
    any_name = any(one.kind == kinds.VAR_KEYWORD for one in takes.values())
    unknown = [] if any_name else ["`%s`" % one for one in given if one not in known]
    for one in takes.values():
        needed = one.default is kinds.empty
        if one.kind == kinds.POSITIONAL_ONLY and (needed or one.name in given and not any_name):
            wrong.append("`%s` can only be given by its position, and arguments have names" % one.name)
        elif one.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY) and needed and one.name not in own:
            wrong += ["`%s` is missing" % one.name] if one.name not in given else []
    if unknown:
        wrong.append("it has no parameter %s" % ", ".join(unknown))
    return plain("`%s` cannot be called so: %s" % (name, "; ".join(wrong))) if wrong else None


def exit_code(error):
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) and -(1 << 31) <= error.code < 1 << 31 else 1


def work(request, foreground):
    """Does what is asked and always has an answer."""
    number = request["id"]
    answer = {"broken": "there is no answer"}
    try:
        try:
            if foreground:
                State.current = number
            else:
                State.threads[number] = threading.get_ident()
            if number in State.cancelled:
                raise KeyboardInterrupt()
            does = {"call": call, "check": check, "hook": hook, "check_control": check_control}
            answer = does[request["do"]](request)
        finally:
            # From here on no signal handler raises anything.
            if foreground:
                State.current = None
            else:
                State.threads.pop(number, None)
    except SystemExit as error:
        answer = {"exit": exit_code(error)}
    except KeyboardInterrupt:
        answer = {"interrupted": True}
    except Broken as error:
        answer = {"broken": plain(str(error))}
    except BaseException as error:
        answer = {"broken": plain(words(error))}
    State.cancelled.discard(number)
    State.cancelling = None if foreground else State.cancelling
    answer["id"] = number
    answers.put(answer)


def cancel(number):
    State.cancelled.add(number)
    if State.current == number:
        State.cancelling = number
        # A signal, because it ends waiting for the system as well.
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    elif number in State.threads:
        try:
            import ctypes

            thread = ctypes.c_ulong(State.threads[number])
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(KeyboardInterrupt))
        except Exception:
            pass  # The engine will end everything then.


def read(lines):
    """Hands out requests, until the engine closes its end or is gone."""
    for line in lines:
        request = json.loads(line.decode("utf-8"))
        if request["do"] == "cancel":
            cancel(request["id"])
        elif request["background"]:
            try:
                threading.Thread(target=work, args=(request, False), daemon=True).start()
            except Exception as error:
                answers.put({"id": request["id"], "broken": words(error)})
        else:
            requests.put(request)
    requests.put(None)
    if State.current is not None:
        cancel(State.current)
    time.sleep(GRACE)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def write(file):
    """The only one that writes, so that no line is ever cut by another."""
    while True:
        answer = answers.get()
        line = json.dumps(answer, ensure_ascii=False, allow_nan=False).encode("utf-8")
        if len(line) > LONGEST + (1 << 20):
            line = json.dumps(dict(too_large(), id=answer["id"])).encode("utf-8")
        rest = memoryview(line + b"\n")
        while rest:
            rest = rest[os.write(file, rest):]


def on_interrupt(number, frame):
    if State.current is not None and State.cancelling in (None, State.current):
        raise KeyboardInterrupt()


def on_leave(number, frame):
    """Somebody here wants the run to end: the engine has to know, whatever it waits for."""
    code = {signal.SIGUSR1: 20, signal.SIGUSR2: 30, signal.SIGTERM: 143}[number]
    answers.put({"leave": code})
    if State.current is not None:
        raise SystemExit(code)


def main():
    if sys.path and sys.path[0] == "":
        # A script that is installed does not find modules in the working directory either.
        del sys.path[0]
    # Whatever runs here may print and read as it likes.
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")

    def forked():
        # A child that outlives this process must not keep the engine waiting, and is no part of its run.
        os.close(source)
        os.close(sink)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_DFL)

    os.register_at_fork(after_in_child=forked)
    logger = logging.getLogger("chaostoolkit")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    signal.signal(signal.SIGINT, on_interrupt)
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, on_leave)
    # Only the process may end it, and not the end of what it reads.
    threading.Thread(target=write, args=(sink,), daemon=True).start()
    answers.put({"id": 0, "returned": {"version": list(sys.version_info[:3]), "python": sys.executable}})
    threading.Thread(target=read, args=(os.fdopen(source, "rb"),), daemon=True).start()
    while True:
        request = requests.get()
        if request is None:
            return
        work(request, True)
