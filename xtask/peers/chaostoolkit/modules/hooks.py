"""Controls of the corpus: each leaves a mark of every call, and does what its arguments say."""

from chaoslib.exceptions import InterruptExecution

from corpus import trace


def told(state):
    """What a control sees of a state, without what differs from run to run."""
    if state is None:
        return "nothing"
    if isinstance(state, list):
        return "%d runs" % len(state)
    if "steady_state_met" in state:
        return "met %s of %d" % (state["steady_state_met"], len(state["probes"]))
    tolerance = " judged" if "tolerance_met" in state else ""
    return "%s%s" % (state.get("status"), tolerance)


def mark(hook, context, name, stop, state=None):
    of = context if isinstance(context, str) else context.get("name", context.get("title"))
    trace("%s: %s %s" % (name, hook, of))
    if hook.startswith("after"):
        trace("  " + told(state))
    if stop == hook:
        raise InterruptExecution("enough")
    if stop == "fail":
        raise ValueError("broken")


def configure_control(experiment, configuration, secrets, settings, name="c", stop=None):
    trace("%s: configure %s %s" % (name, sorted(configuration), sorted(secrets)))
    if stop == "configure":
        raise ValueError("broken")


def cleanup_control():
    trace("cleanup")


def validate_control(control):
    trace("validate %s" % control["name"])
    if control["provider"].get("arguments", {}).get("invalid"):
        from chaoslib.exceptions import InvalidControl

        raise InvalidControl("no")


def before_loading_experiment_control(context, name="c", stop=None):
    mark("before_loading", context, name, stop)


def after_loading_experiment_control(context, state, name="c", stop=None):
    mark("after_loading", context, name, stop, {"status": state["title"]})


def before_experiment_control(context, configuration, secrets, experiment, extensions, name="c", stop=None):
    same = context is experiment
    trace("%s: sees %s %s %s %s" % (name, sorted(configuration), sorted(secrets), same, extensions))
    mark("before_experiment", context, name, stop)


def after_experiment_control(context, state, name="c", stop=None):
    mark("after_experiment", context, name, stop, state)


def before_hypothesis_control(context, name="c", stop=None):
    mark("before_hypothesis", context, name, stop)


def after_hypothesis_control(context, state, name="c", stop=None):
    mark("after_hypothesis", context, name, stop, state)


def before_method_control(context, name="c", stop=None):
    mark("before_method", context, name, stop)


def after_method_control(context, state, name="c", stop=None):
    mark("after_method", context, name, stop, state)


def before_rollback_control(context, name="c", stop=None):
    mark("before_rollback", context, name, stop)


def after_rollback_control(context, state, name="c", stop=None):
    mark("after_rollback", context, name, stop, state)


def before_activity_control(context, name="c", stop=None):
    mark("before_activity", context, name, stop)


def after_activity_control(context, state, name="c", stop=None):
    mark("after_activity", context, name, stop, state)
