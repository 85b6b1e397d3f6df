"""Controls: functions that are called at the begin and the end of each part of a run, and what they change.

A part of the runner, which has what is not here.
"""


class NoRegistry:
    """Stands in for the registry of event handlers, which this engine does not have."""

    def register(self, handler):
        logging.getLogger("chaostoolkit").warning(
            "the event handler %s is never called: this engine tells controls only" % type(handler).__name__
        )


class Hooked(Plain):
    """Makes what a control has left plain; a member of an enumeration is its value."""

    def value(self, value, depth=0):
        if is_of(value, "enum", "Enum"):
            value = value.value
        return Plain.value(self, value, depth)


def inside(document, pointer):
    """The part of a document that a JSON pointer names."""
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def hook(request):
    """Calls one function of a control, if its module has it, and tells what it has changed."""
    shared = {name: request[name] for name in ("configuration", "secrets", "experiment", "state")}
    before = {name: json.dumps(value) for name, value in shared.items()}
    answer = {}
    try:
        answer["called"] = call_hook(request, shared)
    except Exception as error:
        interrupts = any(one.__name__ == "InterruptExecution" for one in type(error).__mro__)
        answer["interrupt" if interrupts else "failed"] = plain(str(error) if interrupts else words(error))
    changed = {}
    for name, value in shared.items():
        value = Hooked().value(value)
        if json.dumps(value) != before[name]:
            changed[name] = value
    answer["changed"] = changed
    return {"returned": answer}


def call_hook(request, shared):
    found = importlib.import_module(request["module"])
    function = getattr(found, request["func"], None)
    if not function:
        return False
    if request["style"] == "validate":
        function(request["control"])
        return True
    if request["style"] == "cleanup":
        function()
        return True
    offered = dict(shared, settings=request["settings"])
    if request["style"] == "configure":
        offered["event_registry"] = NoRegistry()
        del offered["state"]
    else:
        offered["extensions"] = (shared["experiment"] or {}).get("extensions")
    takes = inspect.signature(function).parameters
    given = request["arguments"]
    given.update((name, value) for name, value in offered.items() if name in takes)
    if request["style"] == "apply":
        at = request["at"]
        given["context"] = request["context"] if at is None else inside(shared["experiment"], at)
    function(**given)
    return True


def check_control(request):
    """What is wrong with a control, as far as its module can be imported and tells itself."""
    name = request["module"]
    try:
        importlib.import_module(name)
    except ImportError as error:
        what = "the module `%s` cannot be imported, and the experiment runs without it: %s" % (name, why(error))
        return {"returned": {"at": "module", "unsure": True, "what": plain(what)}}
    except Exception as error:
        what = "the module `%s` cannot be imported: %s" % (name, why(error))
        return {"returned": {"at": "module", "unsure": request["lenient"], "what": plain(what)}}
    try:
        if not request["lenient"]:
            call_hook(dict(request, func="validate_control", style="validate"), {})
    except Exception as error:
        return {"returned": {"at": "module", "what": plain("`%s` says that it is not valid: %s" % (name, words(error)))}}
    return {"returned": {}}
